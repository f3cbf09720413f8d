import { once } from "node:events";
import * as http2 from "node:http2";
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Recorder } from "../testing/http2-pair.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { ErrorCode } from "./errors.ts";
import type { Stream } from "./stream.ts";

const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

/** Puts a connection on a socket, as the wire will: one write a turn, none while the socket is full. */
function attach(socket: Socket, role: "client" | "server", options: Partial<ConnectionOptions> = {}) {
  const told = new Recorder();
  let isFull = false;
  const flush = () => {
    for (let bytes = isFull ? undefined : connection.take(); bytes; bytes = isFull ? undefined : connection.take()) {
      isFull = !socket.write(bytes);
    }
  };
  told.handlers.output = () => queueMicrotask(flush);
  const connection = new Connection({ role, events: told, nowMs: 0, ...options });
  socket.on("drain", () => {
    isFull = false;
    flush();
  });
  socket.on("data", (bytes: Buffer) => connection.receive(bytes, 0));
  socket.on("close", () => connection.close());
  socket.on("error", () => {});
  return { connection, told };
}

async function listening(server: Server | http2.Http2Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Our client against a server of node:http2. */
async function againstNodeServer(
  handler: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
) {
  const server = http2.createServer();
  const sessions: http2.ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    handler(stream, headers);
  });
  const socket = connectSocket(await listening(server), "127.0.0.1");
  opened.push(() => socket.destroy());
  return { ...attach(socket, "client"), sessions };
}

/** A client of node:http2 against our server. */
async function againstNodeClient(
  setUp: (end: ReturnType<typeof attach>) => void,
  options?: http2.SecureClientSessionOptions,
) {
  const server = createServer((socket) => {
    opened.push(() => socket.destroy());
    setUp(attach(socket, "server"));
  });
  const client = http2.connect(`http://127.0.0.1:${await listening(server)}`, options);
  client.on("error", () => {});
  opened.push(() => client.destroy());
  return client;
}

/** Resolves once `told` has a line that starts like this. */
const until = (told: Recorder, start: string) =>
  expect.poll(() => told.lines.find((line) => line.startsWith(start)), { timeout: 8_000, interval: 2 }).toBeDefined();

const request = ["content-type", "application/grpc", "te", "trailers"];
const head = (path: string) => [":method", "POST", ":scheme", "http", ":path", path, ":authority", "here", ...request];

/** Consumes what arrives, and sends it back: an echo that trailers end. */
function echo({ connection, told }: ReturnType<typeof attach>): void {
  told.handlers.headers = (stream) => connection.sendHeaders(stream, [":status", "200"], false);
  told.handlers.data = (stream, bytes, start, end, endStream) => {
    connection.sendData(stream, bytes.subarray(start, end), false);
    connection.consumed(stream, end - start);
    if (endStream) connection.sendTrailers(stream, ["grpc-status", "0", "x-sum", "é"]);
  };
}

test("our client calls a node:http2 server: headers, body and trailers both ways, many times over", async () => {
  const { connection, told } = await againstNodeServer((stream, headers) => {
    stream.respond({ ":status": 200, "x-path": headers[":path"], "x-n": headers["x-n"] }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  const fields = Object.freeze(head("/a.B/C"));
  for (let i = 0; i < 300; i++) {
    const stream = connection.openStream(fields, false, ["x-n", `${i}`]);
    if (stream === undefined) await until(told, "room");
    else connection.sendData(stream, Buffer.from(`question ${i}`), true);
    if (i % 50 === 0) await until(told, `closed ${stream?.id ?? 1}`);
  }
  await expect.poll(() => connection.streamCount).toBe(0);
  expect(told.lines.filter((line) => line.includes("trailers") && line.includes("grpc-status,0")).length).toBe(300);
  expect(told.lines.filter((line) => /headers \d+ :status,200,x-path,\/a\.B\/C,x-n,\d+/.test(line)).length).toBe(300);
  expect(told.body(1)).toBe("question 0");
});

test("our client sends and receives 8 MiB through node's windows", async () => {
  const { connection, told } = await againstNodeServer((stream) => {
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  });
  let received = 0;
  told.handlers.data = (stream, _bytes, start, end) => {
    received += end - start;
    connection.consumed(stream, end - start);
  };
  const stream = connection.openStream(head("/echo"), false) as Stream;
  connection.sendData(stream, Buffer.alloc(8 * 1024 * 1024, "z"), true);
  await until(told, "closed 1");
  expect(received).toBe(8 * 1024 * 1024);
});

test("our client and a node:http2 server reset each other's streams, ping, and part by GOAWAY", async () => {
  const closes: number[] = [];
  const { connection, told, sessions } = await againstNodeServer((stream, headers) => {
    stream.on("close", () => closes.push(stream.rstCode));
    if (headers[":path"] === "/no") stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else stream.respond({ ":status": 200 });
  });
  connection.openStream(head("/no"), false);
  await until(told, "reset 1 ENHANCE_YOUR_CALM by peer");
  const stream = connection.openStream(head("/yes"), false) as Stream;
  await until(told, "headers 3");
  connection.resetStream(stream, ErrorCode.cancel);
  await expect.poll(() => closes).toEqual([ErrorCode.enhanceYourCalm, ErrorCode.cancel]);
  connection.ping(Buffer.from("12345678"));
  await until(told, "pong 12345678");
  sessions[0]?.goaway(http2.constants.NGHTTP2_NO_ERROR);
  await until(told, "goAway");
  expect(connection.canOpen).toBe(false);
});

test("a node:http2 client calls our server: headers, body and trailers both ways, many times over", async () => {
  const client = await againstNodeClient(echo);
  const call = async (i: number) => {
    const stream = client.request({ ":method": "POST", ":path": `/a.B/${i % 7}`, "x-n": `${i}`, "x-bin": "é" });
    stream.end(`question ${i}`);
    const [chunks, trailers] = [[] as Buffer[], once(stream, "trailers")];
    for await (const chunk of stream) chunks.push(chunk);
    return [Buffer.concat(chunks).toString(), (await trailers)[0]["grpc-status"]];
  };
  const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => call(i)));
  expect(answers).toEqual(answers.map((_, i) => [`question ${i}`, "0"]));
});

test("a node:http2 client echoes 8 MiB through our windows, compressed headers without a table included", async () => {
  const client = await againstNodeClient(echo, { settings: { headerTableSize: 0, initialWindowSize: 1_000 } });
  const stream = client.request({ ":method": "POST", ":path": "/echo" });
  stream.end(Buffer.alloc(8 * 1024 * 1024, "z"));
  let received = 0;
  for await (const chunk of stream) received += chunk.length;
  expect(received).toBe(8 * 1024 * 1024);
});

test("a node:http2 client and our server reset each other's streams, and part by GOAWAY in two steps", async () => {
  let ours: ReturnType<typeof attach> | undefined;
  const client = await againstNodeClient((end) => {
    ours = end;
    end.told.handlers.headers = (stream, fields) => {
      if (fields.includes("/no")) end.connection.resetStream(stream, ErrorCode.refusedStream);
      else end.connection.sendHeaders(stream, [":status", "200"], false);
    };
  });
  const refused = client.request({ ":method": "POST", ":path": "/no" });
  const [error] = await once(refused, "error");
  expect(error.message).toContain("NGHTTP2_REFUSED_STREAM");
  const cancelled = client.request({ ":method": "POST", ":path": "/yes" });
  await once(cancelled, "response");
  cancelled.close(http2.constants.NGHTTP2_CANCEL);
  await until((ours as ReturnType<typeof attach>).told, "reset 3 CANCEL by peer");
  const last = client.request({ ":method": "POST", ":path": "/last" });
  await once(last, "response");
  const gone = once(client, "goaway");
  ours?.connection.drain();
  ours?.connection.goAway();
  await gone;
  last.resume();
  ours?.connection.sendTrailers(ours.told.streams.get(5) as Stream, ["grpc-status", "0"]);
  await once(last, "trailers");
});

test("a node:http2 client that breaks the rules of headers is refused on that stream alone", async () => {
  const client = await againstNodeClient(echo);
  const bad = client.request({ ":method": "POST", ":path": "no-slash" });
  await expect(once(bad, "close")).rejects.toThrow("NGHTTP2_PROTOCOL_ERROR");
  expect(bad.rstCode).toBe(ErrorCode.protocolError);
  const good = client.request({ ":method": "POST", ":path": "/fine" });
  good.end("x");
  good.resume();
  await once(good, "trailers");
});
