import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { errorReason } from "../../call/errors.ts";
import { gather } from "../../call/whole-body.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { type BodyLimits, createRoom, withBodyLimits } from "./bodies.ts";

const kib = 1024;

/** A body of a length that is said, which comes when it is told to. */
function gatherable(sizeBytes: number, until?: Promise<unknown>) {
  return Object.assign(body([]), { gather: async () => until?.then(() => piece(sizeBytes)) ?? piece(sizeBytes) });
}

/** A handler behind the limits that reads bodies whole, and holds its answer for as long as a test likes. */
function openReader(limits: BodyLimits = {}) {
  const clock = fakeClock();
  let gate = Promise.resolve();
  const state = { read: 0, problems: [] as unknown[] };
  const reader: HttpHandler = async ({ body }) => {
    try {
      for await (const piece of body as AsyncIterable<Uint8Array>) state.read += piece.length;
    } catch (reason) {
      state.problems.push(reason);
      throw reason;
    }
    await gate;
    return { status: 200 };
  };
  const handler = withBodyLimits({ limits, clock, room: createRoom(limits) }, reader);
  const post = (body: AsyncIterable<Uint8Array>, type = "application/json", method = "POST") => {
    const header = new Headers({ "content-type": type });
    const signal = new AbortController().signal;
    return handler({ httpVersion: "2.0", method, url: "http://a/v1/users", header, body, signal });
  };
  const hold = () => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return held.resolve;
  };
  return { clock, post, state, hold };
}

/** A body that sends so much, piece by piece, and then ends, or stays open until it is told to go on. */
function body(pieces: readonly Uint8Array[], until?: Promise<unknown>) {
  const state = { isClosed: false };
  async function* source() {
    try {
      yield* pieces;
      await until;
    } finally {
      state.isClosed = true;
    }
  }
  return Object.assign(source(), { state });
}

const piece = (bytes: number) => new Uint8Array(bytes);
const never = new Promise(() => {});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const statusesOf = async (answers: readonly Promise<UniversalServerResponse>[]) =>
  (await Promise.all(answers)).map(({ status }) => status);

test("bodies that fit in together are read, and those that do not are refused with when to try again", async () => {
  const { post, hold, state } = openReader({ maxBytes: 10 * kib });
  const letGo = hold();
  const first = [post(body([piece(4 * kib)])), post(body([piece(4 * kib)]))];
  await turn();
  const refused = await post(body([piece(kib), piece(4 * kib)]));
  expect([refused.status, refused.header?.get("retry-after")]).toEqual([429, "1"]);
  const problem = ConnectError.from(state.problems[0]);
  expect([problem.code, errorReason(problem)?.metadata]).toMatchObject([
    Code.ResourceExhausted,
    { limit: "body-bytes", bytes: String(10 * kib) },
  ]);
  const small = post(body([piece(2 * kib)]));
  letGo();
  expect(await statusesOf([...first, small])).toEqual([200, 200, 200]);
  expect((await post(body([piece(10 * kib)]))).status).toBe(200);
});

test("however many slow senders there are, no more of them are read at once than may be, nor more held of them", async () => {
  const { post, clock, state } = openReader({ maxBytes: 100 * kib, maxAtOnce: 30 });
  const answers = Array.from({ length: 1_000 }, () => post(body([piece(10 * kib)], never)));
  await turn();
  expect(state.read).toBe(100 * kib);
  const stillThere = answers.length - state.problems.length;
  expect(stillThere).toBeLessThanOrEqual(30);
  await clock.advance(30_000);
  const statuses = await statusesOf(answers);
  expect(statuses.filter((status) => status === 408)).toHaveLength(stillThere);
  expect(statuses.filter((status) => status === 429)).toHaveLength(1_000 - stillThere);
  expect((await post(body([piece(100 * kib)]))).status).toBe(200);
});

test("who takes too long is cut off, and its place is free again", async () => {
  const { post, clock } = openReader({ maxAtOnce: 1, timeoutMs: 5_000 });
  const slow = body([piece(1)], never);
  const answer = post(slow);
  await turn();
  expect((await post(body([piece(1)]))).status).toBe(429);
  await clock.advance(5_000);
  expect((await answer).status).toBe(408);
  expect((await post(body([piece(1)]))).status).toBe(200);
});

test("of a stream only the message counts that is not whole yet, and it may take as long as it likes", async () => {
  const { post, clock } = openReader({ maxBytes: 10 * kib, maxAtOnce: 1 });
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0x20, 0]), piece(8 * kib)]);
  const more = Promise.withResolvers<void>();
  const stream = post(body([message, message, message, message.subarray(0, kib)], more.promise), "application/grpc");
  await turn();
  await clock.advance(3_600_000);
  expect((await post(body([piece(9 * kib)]))).status).toBe(200);
  expect((await post(body([piece(10 * kib)]))).status).toBe(429);
  more.resolve();
  expect((await stream).status).toBe(200);
  expect((await post(body([piece(10 * kib)]))).status).toBe(200);
});

test("a body that breaks off gives back what it took", async () => {
  const { post } = openReader({ maxBytes: 10 * kib, maxAtOnce: 1 });
  for (const type of ["application/json", "application/grpc"]) {
    const broken = Promise.reject(new Error("the caller left"));
    await expect(post(body([piece(9 * kib)], broken), type)).rejects.toThrow("the caller left");
    expect((await post(body([piece(10 * kib)]))).status).toBe(200);
  }
});

test("a short body that says its length is gathered in one go, and counts by what it says", async () => {
  const { clock, handler } = openGatherer({ maxBytes: 10 * kib, maxAtOnce: 3, timeoutMs: 5_000 });
  const post = (bytes: number, until?: Promise<unknown>) => {
    const header = new Headers({ "content-length": String(bytes) });
    const signal = new AbortController().signal;
    const request = { httpVersion: "1.1", method: "POST", url: "http://a/", header, signal };
    return handler({ ...request, body: gatherable(bytes, until) });
  };
  const slow = post(6 * kib, never);
  await turn();
  expect(await statusesOf([post(4 * kib), post(5 * kib)])).toEqual([200, 429]);
  await clock.advance(5_000);
  expect((await slow).status).toBe(408);
  expect((await post(10 * kib)).status).toBe(200);
});

/** A handler behind the limits that gathers bodies whole. */
function openGatherer(limits: BodyLimits) {
  const clock = fakeClock();
  const gatherer: HttpHandler = async (request) => {
    const bytes = await gather(request.body as AsyncIterable<Uint8Array>, 1_000_000);
    return { status: bytes === undefined ? 413 : 200 };
  };
  return { clock, handler: withBodyLimits({ limits, clock, room: createRoom(limits) }, gatherer) };
}

test("a request without a body costs no place", async () => {
  const { post } = openReader({ maxAtOnce: 1 });
  const held = post(body([], never));
  await turn();
  expect((await post(body([]), "application/json", "GET")).status).toBe(200);
  void held;
});
