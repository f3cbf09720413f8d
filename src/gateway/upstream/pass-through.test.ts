import { randomBytes } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { systemRandom } from "../../base/random.ts";
import { methodName } from "../../call/method.ts";
import { type RawMessage, rawMessage } from "../../call/raw-message.ts";
import type { ServedCall } from "../../call/served-call.ts";
import { echoContract } from "../../test/suites/gateway-parts.ts";
import type { HttpHandler, Session, SessionOptions } from "../../wire/engine.ts";
import { performed } from "../../wire/grpc/call-transport.ts";
import { endingInTime } from "../../wire/grpc/in-time.ts";
import type { Rpc } from "../../wire/grpc/rpc.ts";
import { ownEngine } from "../../wire/own.ts";
import { passThrough } from "./pass-through.ts";
import { timeoutsWithDefault } from "./timeouts.ts";

const echo = echoContract();
const [one, many, sum, chat] = echo.methods as [DescMethod, DescMethod, DescMethod, DescMethod];

/** None of it is a `Note`: a varint without end, a field cut short, all sorts. */
const notMessages = [Buffer.alloc(11, 0xff), Buffer.from([0x0a, 0x7f, 1]), randomBytes(3_000), Buffer.alloc(0)];

const nowhere: HttpHandler = async () => ({ status: 404 });

/** A service that answers with the bytes that it is asked with, and a gateway before it. */
async function openBoth(answer: Rpc["answer"] = echoed, options: SessionOptions = {}) {
  await using own = new AsyncDisposableStack();
  const rpc = { isRaw: true, timeoutMs: 5_000, maxTimeoutMs: 5_000, maxRequestBytes: 2 ** 22, answer };
  const rpcs = new Map(echo.methods.map((method) => [`/${methodName(method)}`, { ...rpc, method }]));
  const at = { host: "127.0.0.1", port: 0, handler: nowhere };
  const service = own.use(await ownEngine.listen({ ...at, rpcs }));
  const upstream = own.use(ownEngine.connect(`127.0.0.1:${service.port}`));
  const perform = endingInTime(upstream.send, systemClock);
  const gateway = own.use(
    await ownEngine.listen({
      ...at,
      rpcs: passThrough([echo], {
        upstream: undefined as never,
        passOn: (init) => performed(perform, init),
        steps: [],
        timeoutOf: timeoutsWithDefault(5_000),
        clock: systemClock,
        random: systemRandom,
      }),
    }),
  );
  const session = own.use(ownEngine.connect(`127.0.0.1:${gateway.port}`, options));
  const all = own.move();
  return { session, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function echoed({ message }: ServedCall): Promise<unknown> {
  return message;
}

function send({ send }: Session, method: DescMethod, message: unknown): Promise<UnaryResponse | StreamResponse> {
  const lifetime = new Lifetime();
  return send({ method, message: message as never, isRaw: true, fields: [], timeoutMs: 5_000, lifetime });
}

async function unary(session: Session, bytes: Uint8Array): Promise<Buffer> {
  const { message } = await send(session, one, rawMessage(bytes));
  return Buffer.from((message as unknown as RawMessage).bytes);
}

async function all({ message }: UnaryResponse | StreamResponse): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const raw of message as AsyncIterable<unknown>) found.push(Buffer.from((raw as RawMessage).bytes));
  return found;
}

test.each(notMessages)("bytes pass as they are, both ways, whatever they say (%#)", async (bytes) => {
  await using both = await openBoth();
  expect(await unary(both.session, bytes)).toEqual(bytes);
});

test.each(["gzip", "br", "zstd"])(
  "messages of a caller that compresses by %s arrive as they were",
  async (compression) => {
    await using both = await openBoth(echoed, { compression });
    const bytes = Buffer.concat([randomBytes(1_000), Buffer.alloc(20_000, "much the same")]);
    expect(await unary(both.session, bytes)).toEqual(bytes);
  },
);

test("a message of a mebibyte passes, and one of more than four does not", async () => {
  await using both = await openBoth();
  const mebibyte = randomBytes(2 ** 20);
  expect((await unary(both.session, mebibyte)).equals(mebibyte)).toBe(true);
  const tooLong = send(both.session, one, rawMessage(Buffer.alloc(2 ** 22 + 1)));
  await expect(tooLong).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test("streams pass message by message, in each direction", async () => {
  async function* thrice({ message }: ServedCall) {
    for (let i = 0; i < 3; i++) yield message;
  }
  async function* back({ message }: ServedCall) {
    yield* message as AsyncIterable<unknown>;
  }
  const first = async ({ message }: ServedCall) => {
    for await (const raw of message as AsyncIterable<unknown>) return raw;
    return rawMessage(Buffer.alloc(0));
  };
  await using both = await openBoth(async (call) => {
    if (call.method.name === "Many") return thrice(call);
    return call.method.name === "Chat" ? back(call) : first(call);
  });
  const { session } = both;
  const [bytes = Buffer.alloc(0)] = notMessages;
  async function* raws() {
    for (const each of notMessages) yield rawMessage(each);
  }
  expect(await all(await send(session, many, rawMessage(bytes)))).toEqual([bytes, bytes, bytes]);
  expect(await all(await send(session, sum, raws()))).toEqual([bytes]);
  expect(await all(await send(session, chat, raws()))).toEqual(notMessages);
});

test("what the service says of a call passes back: headers, trailers, errors; with the request's id and its trace", async () => {
  await using both = await openBoth(async (call) => {
    call.responseHeader.set("x-from", call.requestHeader.get("x-request-id") ?? "");
    call.responseTrailer.set("x-after", "all");
    if ((call.message as RawMessage).bytes.length === 0) throw new ConnectError("no bytes", Code.OutOfRange);
    return call.message;
  });
  const { header, trailer } = await send(both.session, one, rawMessage(Buffer.from("a")));
  const id = header.get("x-request-id");
  expect([header.get("x-from"), trailer.get("x-after")]).toEqual([id, "all"]);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(header.get("heddle-trace-id")).toMatch(/^[0-9a-f]{32}$/);
  const error = await send(both.session, one, rawMessage(Buffer.alloc(0))).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.OutOfRange, rawMessage: "no bytes" });
  expect((error as ConnectError).metadata.get("x-after")).toBe("all");
});
