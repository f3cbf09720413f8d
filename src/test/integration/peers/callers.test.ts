import { createSecureServer, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { prefixed } from "../../../testing/attacker.ts";
import { requestOf } from "../../../testing/bodies.ts";
import type { Session } from "../../../wire/engine.ts";
import { grpcTransport } from "../../../wire/grpc.ts";
import { all, digestOfBody } from "./bodies.ts";
import { EchoService, echoSchema } from "./contract.ts";
import { digestOf, many, mebibyte } from "./pieces.ts";
import { type Place, places } from "./places.ts";
import { openProgram, programs } from "./run.ts";

const whole = `${many * mebibyte} ${digestOf(many)}`;
const sessionTo = ({ engine, tls }: Place, address: string): Session =>
  engine.connect(address, tls ? { tls: { ca: tls.cert, serverName: "localhost" } } : {});

describe.for(places)("our session (%s)", ([, place]) => {
  test("carries 64 MiB to Go's own HTTP/2, from it, and there and back", async () => {
    await using server = await openProgram(programs["grpc-go"], place.tls);
    await using session = sessionTo(place, server.bodiesAddress);
    const ask = async (path: string) => {
      const method = "POST";
      const body = path === "/pieces" ? undefined : all();
      return (await session.request(requestOf(session, { path, method, ...(body && { body }) }))).body;
    };
    expect(String(await concatenated(await ask("/digest")))).toBe(whole);
    expect(await digestOfBody(await ask("/pieces"))).toBe(whole);
    expect(await digestOfBody(await ask("/back"))).toBe(whole);
  });

  test("takes an answer that a node:http2 server gives before it has heard the request out", async () => {
    await using server = await openByHand(place, (stream) => {
      stream.respond(grpc, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", tail: "said" }));
      stream.end(message("early"));
    });
    await using session = sessionTo(place, server.address);
    const { collect } = createClient(EchoService, grpcTransport(session));
    let tail: string | null = null;
    const onTrailer = (trailer: Headers) => {
      tail = trailer.get("tail");
    };
    expect((await collect(endless(), { onTrailer, timeoutMs: 20_000 })).text).toBe("early");
    expect(tail).toBe("said");
  });

  test("takes trailers alone for an error, and for a stream of nothing", async () => {
    await using server = await openByHand(place, (stream, path) => {
      const said = path.endsWith("Serve")
        ? { "grpc-status": 0 }
        : { "grpc-status": 9, "grpc-message": "not%20now", why: "gone" };
      stream.respond({ ...grpc, ...said }, { endStream: true });
    });
    await using session = sessionTo(place, server.address);
    const { unary, serve } = createClient(EchoService, grpcTransport(session));
    const error = (await unary({}).catch(ConnectError.from)) as ConnectError;
    expect([error.code, error.rawMessage, error.metadata.get("why")]).toEqual([
      Code.FailedPrecondition,
      "not now",
      "gone",
    ]);
    for await (const _ of serve({})) throw new Error("a message came from nowhere");
  });

  test.for([
    ["CANCEL", 0x8, Code.Canceled],
    ["REFUSED_STREAM", 0x7, Code.Unavailable],
    ["ENHANCE_YOUR_CALM", 0xb, Code.ResourceExhausted],
    ["INTERNAL_ERROR", 0x2, Code.Internal],
  ] as const)("takes a reset by %s for what gRPC says it means", async ([, resetCode, code]) => {
    await using server = await openByHand(place, (stream) => stream.close(resetCode));
    await using session = sessionTo(place, server.address);
    const { unary } = createClient(EchoService, grpcTransport(session));
    expect(((await unary({}).catch(ConnectError.from)) as ConnectError).code).toBe(code);
  });

  test("keeps what came before a reset, and says that more was to come", async () => {
    await using server = await openByHand(place, (stream) => {
      stream.respond(grpc);
      stream.write(message("first"), () => setTimeout(() => stream.close(0x8), 50));
    });
    await using session = sessionTo(place, server.address);
    const heard: string[] = [];
    const reading = (async () => {
      for await (const { text } of createClient(EchoService, grpcTransport(session)).serve({})) heard.push(text);
    })();
    await expect(reading).rejects.toBeInstanceOf(ConnectError);
    expect(heard).toEqual(["first"]);
  });
});

const grpc = { ":status": 200, "content-type": "application/grpc" };
const message = (text: string) => prefixed(toBinary(echoSchema, create(echoSchema, { text })));

async function* endless() {
  yield { text: "more" };
  await new Promise(() => {}); // more might come, and never does
}

async function concatenated(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

/** A server of node:http2 that answers each stream as it is told. */
async function openByHand({ tls }: Place, answer: (stream: ServerHttp2Stream, path: string) => void) {
  const server = tls ? createSecureServer({ ...tls }) : createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {}); // the peer may leave
    stream.resume();
    answer(stream, headers[":path"] ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}
