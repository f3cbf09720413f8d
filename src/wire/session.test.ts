import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest } from "@connectrpc/connect/protocol";
import { describe, expect, test, vi } from "vitest";
import { progressOf } from "../call/progress.ts";
import { selfSigned } from "../testing/certificate.ts";
import type { HttpHandler, Session, SessionOptions } from "./engine.ts";
import { engines } from "./engines.ts";

const request = (origin: string, signal?: AbortSignal): UniversalClientRequest => ({
  url: `${origin}/a`,
  method: "POST",
  header: new Headers(),
  body: (async function* () {
    yield new Uint8Array([1]);
  })(),
  ...(signal && { signal }),
});

/** Sends one request; answers the whole body, or the error with its progress. */
async function send(session: Session, signal?: AbortSignal) {
  try {
    const { body } = await session.request(request(session.origin, signal));
    let text = "";
    for await (const chunk of body) text += Buffer.from(chunk).toString();
    return text;
  } catch (reason) {
    const error = ConnectError.from(reason);
    return { code: error.code, message: error.rawMessage, progress: progressOf(error) };
  }
}

const echo: HttpHandler = async () => ({
  status: 200,
  body: (async function* () {
    yield new TextEncoder().encode("echo");
  })(),
});

/** A port that does with its connections what the test says; the address and how many came. */
async function openPeer(server: Server, onSocket: (socket: Socket) => void = () => {}) {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const openTcp = (onSocket?: (socket: Socket) => void) => openPeer(createTcpServer(), onSocket);

function openHttp2(onStream: (stream: ServerHttp2Stream) => void) {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    onStream(stream);
  });
  return openPeer(server);
}

function beginAnswer(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200 });
  stream.write("half");
}

describe.each(Object.entries(engines))("a session of %s", (_, engine) => {
  const connectTo = (address: string, options?: SessionOptions) => engine.connect(address, options);

  test("one connection carries many requests at once", async () => {
    await using peer = await openHttp2((stream) => {
      stream.respond({ ":status": 200 });
      stream.end("echo");
    });
    await using session = connectTo(peer.address);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(session)));
    expect(new Set(answers)).toEqual(new Set(["echo"]));
    expect(peer.sockets).toHaveLength(1);
  });

  test("with TLS the peer has to be certified, and by the right name", async () => {
    const tls = selfSigned();
    await using listener = await engine.listen({ host: "127.0.0.1", port: 0, handler: echo, tls });
    const address = `127.0.0.1:${listener.port}`;
    await using trusted = connectTo(address, { tls: { ca: tls.cert } });
    await using named = connectTo(address, { tls: { ca: tls.cert, serverName: "another" } });
    await using stranger = connectTo(address, { tls: {} });
    expect(await send(trusted)).toBe("echo");
    for (const session of [named, stranger]) {
      expect(await send(session)).toMatchObject({ code: Code.Unavailable, progress: "not-sent" });
    }
  });

  test("a port may ask for certificates too: who has none of its authority is not let in", async () => {
    const [server, client] = [selfSigned(), selfSigned()];
    const tls = { ...server, clientCa: client.cert };
    await using listener = await engine.listen({ host: "127.0.0.1", port: 0, handler: echo, tls });
    const address = `127.0.0.1:${listener.port}`;
    await using known = connectTo(address, { tls: { ca: server.cert, ...client } });
    await using unknown = connectTo(address, { tls: { ca: server.cert, ...selfSigned() }, connectTimeoutMs: 500 });
    await using nameless = connectTo(address, { tls: { ca: server.cert }, connectTimeoutMs: 500 });
    expect(await send(known)).toBe("echo");
    for (const session of [unknown, nameless]) expect(await send(session)).toMatchObject({ code: Code.Unavailable });
  });

  test("where nobody listens nothing was sent", async () => {
    const peer = await openTcp();
    await peer[Symbol.asyncDispose]();
    await using session = connectTo(peer.address);
    expect(await send(session)).toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining(`no connection to ${peer.address}`),
      progress: "not-sent",
    });
  });

  test("a peer that accepts and never speaks is given up in time; nothing was sent, and the next request tries anew", async () => {
    await using peer = await openTcp();
    await using session = connectTo(peer.address, { connectTimeoutMs: 20 });
    for (const connections of [1, 2]) {
      expect(await send(session)).toMatchObject({
        code: Code.Unavailable,
        message: expect.stringContaining("within 20 ms"),
        progress: "not-sent",
      });
      expect(peer.sockets).toHaveLength(connections);
      await vi.waitUntil(() => session.state === "idle");
    }
  });

  test("a caller's deadline does not wait for a peer that never speaks", async () => {
    await using peer = await openTcp();
    await using session = connectTo(peer.address);
    const late = new ConnectError("late", Code.DeadlineExceeded);
    const leave = new AbortController();
    const call = send(session, leave.signal);
    leave.abort(late);
    expect(await call).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a peer that closes before it has spoken got nothing", async () => {
    await using peer = await openTcp((socket) => socket.destroy());
    await using session = connectTo(peer.address);
    expect(await send(session)).toMatchObject({ code: Code.Unavailable, progress: "not-sent" });
  });

  test("a peer that refuses the stream did nothing with it", async () => {
    await using peer = await openHttp2((stream) => stream.close(0x7));
    await using session = connectTo(peer.address);
    expect(await send(session)).toMatchObject({ code: Code.Unavailable, progress: "refused" });
  });

  test.each([
    ["before its answer", () => {}],
    ["in its answer", beginAnswer],
  ])("a peer that dies %s may have acted on the request", async (_, begin) => {
    await using peer = await openHttp2((stream) => {
      begin(stream);
      setImmediate(() => peer.sockets[0]?.destroy());
    });
    await using session = connectTo(peer.address);
    expect(await send(session)).toMatchObject({ code: Code.Unavailable, progress: "processed" });
  });

  test("after a drain the next request opens a new connection, to whoever listens then", async () => {
    const first = await engine.listen({ host: "127.0.0.1", port: 0, handler: echo });
    await using session = connectTo(`127.0.0.1:${first.port}`);
    expect(await send(session)).toBe("echo");
    await first.drain(1_000);
    expect(await send(session)).toMatchObject({ code: Code.Unavailable, progress: "not-sent" });
    await using _second = await engine.listen({ host: "127.0.0.1", port: first.port, handler: echo });
    await vi.waitUntil(() => session.state === "idle");
    expect(await send(session)).toBe("echo");
  });

  test("requests that meet a drain are answered, or provably were not processed", async () => {
    let processed = 0;
    const handler: HttpHandler = (received) => {
      processed++;
      return echo(received);
    };
    const listener = await engine.listen({ host: "127.0.0.1", port: 0, handler });
    await using session = connectTo(`127.0.0.1:${listener.port}`);
    await send(session);
    const calls = Array.from({ length: 50 }, async (_, turn) => {
      for (let wait = 0; wait < turn % 5; wait++) await new Promise((resolve) => setImmediate(resolve));
      return send(session);
    });
    const drained = listener.drain(1_000);
    const answers = await Promise.all(calls);
    await drained;
    const answered = answers.filter((answer) => answer === "echo").length;
    expect(processed).toBe(answered + 1);
    for (const answer of answers) {
      if (typeof answer !== "string") expect(["not-sent", "refused"]).toContain(answer.progress);
    }
  });

  test("a retired session finishes what it carries, then closes; an idle one closes at once", async () => {
    const asked: ServerHttp2Stream[] = [];
    await using peer = await openHttp2((stream) => asked.push(stream));
    const session = connectTo(peer.address);
    const call = send(session);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    void session.retire();
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.sockets[0]?.destroyed).toBe(false);
    asked[0]?.respond({ ":status": 200 });
    asked[0]?.end("echo");
    expect(await call).toBe("echo");
    await vi.waitFor(() => expect(peer.sockets[0]?.destroyed).toBe(true));
  });

  test("closing a session ends what it carries", async () => {
    const asked = vi.fn();
    await using peer = await openHttp2(asked);
    const session = connectTo(peer.address);
    const call = send(session);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    await session[Symbol.asyncDispose]();
    expect(await call).toMatchObject({ code: Code.Unavailable });
  });
});
