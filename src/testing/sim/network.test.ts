import { expect, test } from "vitest";
import type { WireSocket } from "../../wire/network.ts";
import { Chronicle } from "./chronicle.ts";
import { dice } from "./dice.ts";
import { fixed, type Latency, uniform } from "./latency.ts";
import { VirtualNetwork } from "./network.ts";
import { Process } from "./process.ts";
import { Timeline } from "./timeline.ts";

/** What a socket has told, in order: "data hello", "end", "error ECONNRESET", "close". */
function heard(socket: WireSocket): string[] {
  const told: string[] = [];
  socket.on("data", (bytes) => told.push(`data ${bytes}`));
  socket.on("error", (error) => told.push(`error ${(error as NodeJS.ErrnoException).code}`));
  for (const event of ["drain", "end", "close"] as const) socket.on(event, () => told.push(event));
  return told;
}

/** A network of two hosts, 10 ms apart, on each a process. */
function openNetwork({
  latency = fixed(10),
  windowBytes = 256 * 1024,
}: {
  latency?: Latency;
  windowBytes?: number;
} = {}) {
  const timeline = new Timeline(0, 100_000);
  const chronicle = new Chronicle(() => timeline.sinceStart);
  const network = new VirtualNetwork({ timeline, chronicle, dice: dice(1), path: { latency }, windowBytes });
  const begin = (name: string) => {
    const process = new Process(name, timeline, dice(2));
    return { process, ...network.seenBy(process, name) };
  };
  const [left, right] = [begin("left"), begin("right")];
  const accepted: WireSocket[] = [];
  const acceptedTold: string[][] = [];
  const visitors = {
    http2(socket: WireSocket) {
      accepted.push(socket);
      acceptedTold.push(heard(socket));
    },
    http1() {},
  };
  return {
    timeline,
    network,
    begin,
    left,
    right,
    accepted,
    acceptedTold,
    visitors,
    /** Lets so many milliseconds pass. */
    async pass(ms: number): Promise<void> {
      let isOver = false;
      timeline.call(timeline.now + ms, () => {
        isOver = true;
      });
      await timeline.run(() => isOver);
    },
    listen: () => right.listen({ host: "right", port: 80 }, visitors),
    connect() {
      const socket = left.connect("right:80");
      const told = heard(socket);
      return { socket, told };
    },
  };
}

type Opened = ReturnType<typeof openNetwork>;

/** A connection on which the client has said "hello". */
async function connected(net: Opened) {
  const door = await net.listen();
  const { socket, told } = net.connect();
  socket.write(Buffer.from("hello"));
  await net.pass(100);
  const [server, serverTold] = [net.accepted[0], net.acceptedTold[0]];
  if (server === undefined || serverTold === undefined) throw new Error("nobody was accepted");
  return { door, client: socket, told, server, serverTold };
}

test("what is written before the connection is there leaves with it, and arrives in order", async () => {
  const net = openNetwork({ latency: uniform(1, 30) });
  const { client, server, serverTold, told } = await connected(net);
  await net.pass(100);
  expect(client.connecting).toBe(false);
  for (const text of ["a", "b", "c"]) {
    client.write(Buffer.from(text));
    await net.pass(1);
  }
  server.write(Buffer.from("answer"));
  await net.pass(100);
  expect(serverTold.join("")).toBe("data hellodata adata bdata c");
  expect(told).toEqual(["data answer"]);
});

test("what is written while a socket is corked leaves together", async () => {
  const net = openNetwork();
  const { client, serverTold } = await connected(net);
  client.cork();
  client.write(Buffer.from("a"));
  client.write(Buffer.from("b"));
  client.uncork();
  await net.pass(20);
  expect(serverTold).toEqual(["data hello", "data ab"]);
});

test("bytes may be changed once they have left", async () => {
  const net = openNetwork();
  const { client, serverTold } = await connected(net);
  const bytes = Buffer.from("before");
  client.write(bytes);
  bytes.fill("x");
  await net.pass(20);
  expect(serverTold).toEqual(["data hello", "data before"]);
});

test("where nobody listens, a connection is refused after the way there and back", async () => {
  const net = openNetwork();
  const { told } = net.connect();
  await net.pass(19);
  expect(told).toEqual([]);
  await net.pass(2);
  expect(told).toEqual(["error ECONNREFUSED", "close"]);
});

test("a host that does not exist is not found", async () => {
  const net = openNetwork();
  const told = heard(net.left.connect("nowhere:80"));
  await net.pass(5);
  expect(told).toEqual(["error ENOTFOUND", "close"]);
});

test("a port that is taken cannot be opened again before it is closed", async () => {
  const net = openNetwork();
  const door = await net.listen();
  await expect(net.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
  await door.close();
  await net.listen();
});

test("both sides end: each hears the other's end, and closes", async () => {
  const net = openNetwork();
  const { door, client, told, serverTold } = await connected(net);
  client.end();
  expect(client.writable).toBe(false);
  await net.pass(30);
  expect(serverTold).toEqual(["data hello", "end", "close"]);
  expect(told).toEqual(["end", "close"]);
  await door.close();
});

test("a port that closes waits for its connections", async () => {
  const net = openNetwork();
  const { door, client } = await connected(net);
  let isClosed = false;
  void door.close().then(() => {
    isClosed = true;
  });
  await net.pass(50);
  expect(isClosed).toBe(false);
  client.destroy();
  await net.pass(50);
  expect(isClosed).toBe(true);
});

test("who writes to somebody who has closed is reset", async () => {
  const net = openNetwork();
  const { client, server, told } = await connected(net);
  server.destroy();
  client.write(Buffer.from("too late"));
  await net.pass(50);
  expect(told.at(-1)).toBe("close");
  expect(told.includes("end") || told.includes("error ECONNRESET")).toBe(true);
});

test("a cut connection carries on where it was, when TCP next sends again", async () => {
  const net = openNetwork();
  const { client, serverTold } = await connected(net);
  const path = net.network.path("left", "right");
  path.cuts++;
  client.write(Buffer.from("a"));
  await net.pass(1_000);
  client.write(Buffer.from("b"));
  await net.pass(100);
  path.cuts--;
  net.network.healed();
  expect(serverTold).toEqual(["data hello"]);
  await net.pass(400); // lost for 1.1 s: sent again after 0.2, 0.6 and 1.4 s
  expect(serverTold.join("")).toBe("data hellodata adata b");
});

test("a cut one way leaves the other way open", async () => {
  const net = openNetwork();
  const { client, told, server, serverTold } = await connected(net);
  net.network.path("left", "right").cuts++;
  client.write(Buffer.from("lost"));
  server.write(Buffer.from("heard"));
  await net.pass(1_000);
  expect(serverTold).toEqual(["data hello"]);
  expect(told).toEqual(["data heard"]);
});

test("a connection request into a black hole is sent again after 1, 3 and 7 s", async () => {
  const net = openNetwork();
  await net.listen();
  const host = net.network.host("right");
  host.deaf++;
  host.mute++;
  const { socket, told } = net.connect();
  await net.pass(2_000);
  expect(socket.connecting).toBe(true);
  host.deaf--;
  host.mute--;
  await net.pass(900);
  expect(socket.connecting).toBe(true);
  await net.pass(200);
  expect(socket.connecting).toBe(false);
  expect(told).toEqual([]);
});

test("a connection request that nobody ever answers is given up after two minutes", async () => {
  const net = openNetwork();
  net.network.host("right").isUp = false;
  const { told } = net.connect();
  await net.pass(120_000);
  expect(told).toEqual([]);
  await net.pass(10_000);
  expect(told).toEqual(["error ETIMEDOUT", "close"]);
});

test("a reset tells both ends, and a severed connection neither", async () => {
  const net = openNetwork();
  const { client, told, serverTold } = await connected(net);
  net.network.sever("left", "*");
  client.write(Buffer.from("lost"));
  await net.pass(60_000);
  expect([told, serverTold]).toEqual([[], ["data hello"]]);
  net.network.reset("right", "left");
  await net.pass(1);
  expect(told).toEqual(["error ECONNRESET", "close"]);
  expect(serverTold).toEqual(["data hello", "error ECONNRESET", "close"]);
});

test("when a process ends, the system closes its connections and ports", async () => {
  const net = openNetwork();
  const { told, serverTold } = await connected(net);
  net.right.process.end();
  await net.pass(30);
  expect(told).toEqual(["end", "close"]);
  expect(serverTold).toEqual(["data hello"]); // it is told nothing any more
  expect(net.network.socketsOf(net.right.process)).toEqual([]);
  const { told: again } = net.connect();
  await net.pass(30);
  expect(again).toEqual(["error ECONNREFUSED", "close"]);
});

test("a machine without power tells nobody, and resets its old connections once it has power again", async () => {
  const net = openNetwork();
  const { client, told } = await connected(net);
  const host = net.network.host("right");
  host.isUp = false;
  net.right.process.end();
  await net.pass(1_000);
  client.write(Buffer.from("anybody?"));
  await net.pass(1_000);
  expect(told).toEqual([]);
  host.isUp = true;
  net.network.healed();
  await net.pass(1_000);
  expect(told).toEqual(["error ECONNRESET", "close"]);
});

test("a process that stands still reads nothing: its peer's writes fill up, and drain when it goes on", async () => {
  const net = openNetwork({ windowBytes: 1_000 });
  const { client, told, server } = await connected(net);
  let read = 0;
  server.on("data", (bytes) => {
    read += bytes.length;
  });
  net.timeline.call(net.timeline.now + 5_000, net.right.process.pause());
  expect(client.write(Buffer.alloc(40_000))).toBe(true);
  expect(client.write(Buffer.alloc(40_000))).toBe(false);
  await net.pass(4_000);
  expect(client.writableLength).toBe(79_000);
  expect([read, told]).toEqual([0, []]);
  await net.pass(5_000);
  expect([read, told, client.writableLength]).toEqual([80_000, ["drain"], 0]);
});

test("segments that get lost come later, all of them", async () => {
  const net = openNetwork();
  const { client, server } = await connected(net);
  const path = net.network.path("left", "right");
  path.options = { latency: fixed(10), lossRatio: 0.5 };
  let read = "";
  server.on("data", (bytes) => {
    read += bytes;
  });
  const beganAt = net.timeline.now;
  for (let i = 0; i < 10; i++) {
    client.write(Buffer.from(`${i}`));
    await net.pass(1);
  }
  await net.pass(10);
  expect(read).not.toBe("0123456789");
  while (read.length < 10 && net.timeline.now < beganAt + 60_000) await net.pass(100);
  expect(read).toBe("0123456789");
});

test("a line of so many bytes a millisecond takes its time over long messages", async () => {
  const net = openNetwork();
  const { client, server } = await connected(net);
  net.network.path("left", "right").options = { latency: fixed(10), bytesPerMs: 100 };
  let readAt: number | undefined;
  server.on("data", () => {
    readAt = net.timeline.now;
  });
  const beganAt = net.timeline.now;
  client.write(Buffer.alloc(50_000));
  await net.pass(1_000);
  expect(readAt).toBe(beganAt + 510);
});
