import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { ended } from "./ended.ts";

const unary = { stream: false } as UnaryResponse;

function streamOf(source: AsyncIterable<unknown>): Promise<StreamResponse> {
  return Promise.resolve({ stream: true, message: source } as unknown as StreamResponse);
}

async function* values(...items: unknown[]) {
  for (const item of items) {
    if (item instanceof Error) throw item;
    yield item;
  }
}

/** The messages of the answer, as the one who asked reads them. */
async function open(answer: Promise<UnaryResponse | StreamResponse>): Promise<AsyncIterator<unknown>> {
  return ((await answer).message as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

const living = new AbortController().signal;

test("a unary answer has ended when it is there", async () => {
  const onEnd = vi.fn();
  expect(await ended(Promise.resolve(unary), living, onEnd)).toBe(unary);
  expect(onEnd.mock.calls).toEqual([[]]);
});

test("a call that fails has ended with its reason", async () => {
  const onEnd = vi.fn();
  const reason = new Error("broken");
  await expect(ended(Promise.reject(reason), living, onEnd)).rejects.toBe(reason);
  expect(onEnd.mock.calls).toEqual([[reason]]);
});

test("a stream has ended after its last message, not before", async () => {
  const onEnd = vi.fn();
  const reader = await open(ended(streamOf(values(1)), living, onEnd));
  await reader.next();
  expect(onEnd).not.toHaveBeenCalled();
  expect(await reader.next()).toMatchObject({ done: true });
  expect(onEnd.mock.calls).toEqual([[undefined]]);
});

test("a stream that breaks has ended with why", async () => {
  const onEnd = vi.fn();
  const reason = new Error("broken");
  const reader = await open(ended(streamOf(values(1, reason)), living, onEnd));
  await reader.next();
  await expect(reader.next()).rejects.toBe(reason);
  expect(onEnd.mock.calls).toEqual([[reason]]);
});

test("a reader that leaves ends the stream without a failure", async () => {
  const onEnd = vi.fn();
  const reader = await open(ended(streamOf(values(1, 2)), living, onEnd));
  await reader.next();
  await reader.return?.();
  expect(onEnd.mock.calls).toEqual([[undefined]]);
});

test("an abort ends a stream that nobody reads any more, once, with the signal's reason", async () => {
  const stop = new AbortController();
  const onEnd = vi.fn();
  const reader = await open(ended(streamOf(values(1, 2)), stop.signal, onEnd));
  await reader.next();
  const reason = new Error("enough");
  stop.abort(reason);
  expect(onEnd.mock.calls).toEqual([[reason]]);
  await reader.return?.();
  expect(onEnd).toHaveBeenCalledTimes(1);
});

test("an abort ends a stream that nobody has begun to read", async () => {
  const stop = new AbortController();
  const onEnd = vi.fn();
  await ended(streamOf(values(1)), stop.signal, onEnd);
  stop.abort();
  expect(onEnd).toHaveBeenCalledTimes(1);
});
