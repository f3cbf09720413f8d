import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { UnaryResponse } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { systemClock } from "../../../base/clock.ts";
import { systemRandom } from "../../../base/random.ts";
import type { OutgoingCallInit } from "../../../call/outgoing-call.ts";
import { type RawMessage, rawMessage } from "../../../call/raw-message.ts";
import type { Step } from "../../../server/steps/step.ts";
import { echoContract } from "../../../test/suites/gateway-parts.ts";
import { answererOf } from "../port.ts";
import { timeoutsWithDefault } from "../timeouts.ts";
import type { PassOn } from "../way.ts";
import { framed } from "./envelopes.ts";

const echo = echoContract();

/** None of it is a `Note`: a varint without end, a field cut short, all sorts. */
const notMessages = [Buffer.alloc(11, 0xff), Buffer.from([0x0a, 0x7f, 1]), randomBytes(40_000), Buffer.alloc(0)];

/** Answers with what it was asked with: one message, or all of them. */
const echoing: PassOn = async ({ method, message }) => {
  const { methodKind } = method;
  const isOne = methodKind === "unary" || methodKind === "client_streaming";
  const about = { service: method.parent, method, header: new Headers({ "x-from": "service" }) };
  const trailer = new Headers({ "x-after": "all" });
  const all: unknown[] =
    methodKind === "unary" || methodKind === "server_streaming" ? [message] : await collected(message);
  if (methodKind === "unary") return { ...about, trailer, stream: false, message } as UnaryResponse;
  return { ...about, trailer, stream: true, message: each(isOne ? all.slice(0, 1) : all) } as never;
};

async function collected(messages: OutgoingCallInit["message"]): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const message of messages as AsyncIterable<unknown>) all.push(message);
  return all;
}

async function* each<T>(items: readonly T[]) {
  yield* items;
}

interface Asking {
  readonly passOn?: PassOn;
  readonly steps?: readonly Step[];
  readonly header?: Record<string, string>;
}

async function ask(
  name: string,
  type: string,
  body: Uint8Array,
  { passOn = echoing, steps = [], header = {} }: Asking = {},
) {
  const answerer = answererOf([echo], {
    upstream: undefined as never, // nobody may decode: it is the way of those that do
    passOn,
    steps,
    timeoutOf: timeoutsWithDefault(5_000),
    clock: systemClock,
    random: systemRandom,
  });
  const answer = await answerer({
    httpVersion: "1.1",
    method: "POST",
    url: `http://gateway/echo.v1.EchoService/${name}`,
    header: new Headers({ "content-type": type, ...header }),
    body: each(body.length > 3 ? [body.subarray(0, 3), body.subarray(3)] : [body]),
    signal: new AbortController().signal,
  });
  if (answer === undefined) throw new Error("nobody has answered");
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body ?? each([])) pieces.push(piece);
  return { status: answer.status, header: answer.header ?? new Headers(), body: Buffer.concat(pieces) };
}

/** The envelopes of a body: flags, and what is in them. */
function envelopes(body: Buffer): readonly (readonly [number, Buffer])[] {
  const found: [number, Buffer][] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    found.push([body[at] ?? 0, body.subarray(at + 5, end)]);
    at = end;
  }
  return found;
}

const enveloped = (...messages: readonly Buffer[]) => Buffer.concat(messages.flatMap((bytes) => framed(0, bytes)));

test.each(notMessages)("a unary call of Connect passes as its bytes (%#)", async (bytes) => {
  const { status, header, body } = await ask("One", "application/proto", bytes);
  expect([status, body.equals(bytes)]).toEqual([200, true]);
  expect(Object.fromEntries(header)).toMatchObject({
    "content-type": "application/proto",
    "content-length": String(bytes.length),
    "x-from": "service",
    "trailer-x-after": "all",
  });
});

test.each([
  ["One", [notMessages[0]], [notMessages[0]]],
  ["Many", [notMessages[1]], [notMessages[1]]],
  ["Sum", notMessages, notMessages.slice(0, 1)],
  ["Chat", notMessages, notMessages],
] as const)("calls of gRPC-Web pass as their bytes, of every shape: %s", async (name, asked, wanted) => {
  const answer = await ask(name, "application/grpc-web+proto", enveloped(...(asked as Buffer[])));
  const found = envelopes(answer.body);
  expect(found.slice(0, -1)).toEqual(wanted.map((bytes) => [0, bytes]));
  const [flags, end] = found.at(-1) ?? [];
  expect([flags, String(end).split("\r\n").sort()]).toEqual([0x80, ["", "grpc-status: 0", "x-after: all"]]);
  expect([answer.header.get("content-type"), answer.header.get("x-from")]).toEqual([
    "application/grpc-web+proto",
    "service",
  ]);
});

test.each([
  ["Many", [notMessages[1]], [notMessages[1]]],
  ["Sum", notMessages, notMessages.slice(0, 1)],
  ["Chat", notMessages, notMessages],
] as const)("streams of Connect pass as their bytes, of every shape: %s", async (name, asked, wanted) => {
  const answer = await ask(name, "application/connect+proto", enveloped(...(asked as Buffer[])));
  const found = envelopes(answer.body);
  expect(found.slice(0, -1)).toEqual(wanted.map((bytes) => [0, bytes]));
  const [flags, end] = found.at(-1) ?? [];
  expect([flags, JSON.parse(String(end))]).toEqual([2, { metadata: { "x-after": ["all"] } }]);
});

test("messages that come compressed pass, and leave compressed for who takes them so and is answered at length", async () => {
  const bytes = Buffer.alloc(5_000, "much the same");
  const header = { "content-encoding": "gzip", "accept-encoding": "gzip" };
  const unary = await ask("One", "application/proto", gzipSync(bytes), { header });
  expect(unary.header.get("content-encoding")).toBe("gzip");
  expect(gunzipSync(unary.body).equals(bytes)).toBe(true);
  const asked = Buffer.concat(framed(1, gzipSync(bytes)));
  const webHeader = { "grpc-encoding": "gzip", "grpc-accept-encoding": "gzip" };
  const web = await ask("One", "application/grpc-web", asked, { header: webHeader });
  const [[flags, packed] = [0, Buffer.alloc(0)]] = envelopes(web.body);
  expect([web.header.get("grpc-encoding"), flags, gunzipSync(packed).equals(bytes)]).toEqual(["gzip", 1, true]);
});

test("an error of the service is told in the protocol's own words, with what was said beside it", async () => {
  const passOn: PassOn = async () => {
    throw new ConnectError("no such note", Code.NotFound, { "x-why": "gone" });
  };
  const unary = await ask("One", "application/proto", Buffer.alloc(0), { passOn });
  expect([unary.status, unary.header.get("x-why"), JSON.parse(String(unary.body))]).toEqual([
    404,
    "gone",
    { code: "not_found", message: "no such note" },
  ]);
  const web = await ask("One", "application/grpc-web", enveloped(Buffer.alloc(0)), { passOn });
  expect(String(envelopes(web.body)[0]?.[1])).toMatch(/no%20such%20note\r\ngrpc-status: 5\r\nx-why: gone/);
  const stream = await ask("Many", "application/connect+proto", enveloped(Buffer.alloc(0)), { passOn });
  expect(JSON.parse(String(envelopes(stream.body)[0]?.[1]))).toMatchObject({ error: { code: "not_found" } });
});

test("a step refuses calls that pass through as it refuses all others", async () => {
  const steps: Step[] = [
    ({ method }) => {
      throw new ConnectError(`${method.name} is closed`, Code.PermissionDenied);
    },
  ];
  const unary = await ask("One", "application/proto", Buffer.alloc(0), { steps });
  expect([unary.status, JSON.parse(String(unary.body))]).toMatchObject([403, { message: "One is closed" }]);
});

test.each([
  ["no message", "One", Buffer.alloc(0)],
  ["two messages", "Many", enveloped(Buffer.alloc(1), Buffer.alloc(1))],
  ["a message cut short", "One", enveloped(Buffer.alloc(9)).subarray(0, 8)],
])("a request with %s is refused, and nobody is called", async (_, name, body) => {
  let calls = 0;
  const passOn: PassOn = async () => {
    calls++;
    throw new Error("called");
  };
  const { body: told } = await ask(name, "application/grpc-web", body, { passOn });
  expect(String(envelopes(told)[0]?.[1])).toMatch(/grpc-status: (3|12)\r\n/);
  expect(calls).toBe(0);
});

test("a message of more than four mebibytes is refused", async () => {
  const { status } = await ask("One", "application/proto", Buffer.alloc(2 ** 22 + 1));
  expect(status).toBe(429);
});

test("bytes of a message that the service has answered with are not copied to be told", async () => {
  const large = Buffer.alloc(2 ** 20, 1);
  const [, told] = framed(0, large);
  expect(told).toBe(large);
  expect((rawMessage(large) as unknown as RawMessage).bytes).toBe(large);
});
