import { getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import { orAborted, untilAborted } from "./stream.ts";

/** A source that gives what it is given, never ends, and knows whether it was told to clean up. */
function endless<T>(...values: T[]) {
  const cleanUp = vi.fn();
  const silence = Promise.withResolvers<never>().promise;
  async function* source() {
    try {
      yield* values;
      await silence;
    } finally {
      cleanUp();
    }
  }
  return { source: source(), cleanUp };
}

async function* counted(to: number) {
  for (let value = 1; value <= to; value++) yield value;
}

const never = () => new Promise<never>(() => {});

async function collect<T>(stream: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const value of stream) into.push(value);
  return into;
}

test("a stream that ends by itself passes whole, tells its end once, and leaves no listener", async () => {
  const { signal } = new AbortController();
  const onEnd = vi.fn();
  expect(await collect(untilAborted(counted(3), signal, onEnd))).toEqual([1, 2, 3]);
  expect(onEnd).toHaveBeenCalledTimes(1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an abort ends a source that is silent, with the signal's reason, and tells its end once", async () => {
  const stop = new AbortController();
  const { source } = endless("a");
  const onEnd = vi.fn();
  const got: string[] = [];
  const reading = collect(untilAborted(source, stop.signal, onEnd), got);
  await vi.waitFor(() => expect(got).toEqual(["a"]));
  stop.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
  expect(onEnd).toHaveBeenCalledTimes(1);
});

test("the source is told to clean up when its reader leaves", async () => {
  const { source, cleanUp } = endless(1, 2);
  const onEnd = vi.fn();
  for await (const _ of untilAborted(source, new AbortController().signal, onEnd)) break;
  await vi.waitFor(() => expect(cleanUp).toHaveBeenCalledTimes(1));
  expect(onEnd).toHaveBeenCalledTimes(1);
});

test("a source that waits between values is told to clean up when the signal aborts", async () => {
  const stop = new AbortController();
  const { source, cleanUp } = endless(1, 2);
  const reader = untilAborted(source, stop.signal)[Symbol.asyncIterator]();
  await reader.next();
  stop.abort(new Error("enough"));
  await expect(reader.next()).rejects.toThrow("enough");
  await vi.waitFor(() => expect(cleanUp).toHaveBeenCalledTimes(1));
});

test("an abort tells the end even when nobody reads on", async () => {
  const stop = new AbortController();
  const { source, cleanUp } = endless(1, 2);
  const onEnd = vi.fn();
  const reader = untilAborted(source, stop.signal, onEnd)[Symbol.asyncIterator]();
  await reader.next();
  stop.abort(new Error("enough"));
  expect(onEnd).toHaveBeenCalledTimes(1);
  await vi.waitFor(() => expect(cleanUp).toHaveBeenCalledTimes(1));
});

test("a stream that nobody begins to read ends with its signal", async () => {
  const stop = new AbortController();
  const onEnd = vi.fn();
  const stream = untilAborted(counted(1), stop.signal, onEnd);
  stop.abort(new Error("enough"));
  expect(onEnd).toHaveBeenCalledTimes(1);
  await expect(collect(stream)).rejects.toThrow("enough");
  expect(onEnd).toHaveBeenCalledTimes(1);
});

test("a source's own error passes, and a clean-up that fails is nobody's news", async () => {
  const failing: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("broken")),
      return: () => Promise.reject(new Error("broken clean-up")),
    }),
  };
  const onEnd = vi.fn();
  await expect(collect(untilAborted(failing, new AbortController().signal, onEnd))).rejects.toThrow("broken");
  expect(onEnd).toHaveBeenCalledTimes(1);
});

test("a long stream holds on to none of its values, and to one listener", async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  expect(await collect(untilAborted(counted(1_000), signal))).toHaveLength(1_000);
  expect(added).toHaveBeenCalledTimes(1);
});

test("a promise's outcome passes; its signal's reason comes instead when it aborts first", async () => {
  const stop = new AbortController();
  expect(await orAborted(Promise.resolve(1), stop.signal)).toBe(1);
  await expect(orAborted(Promise.reject(new Error("own")), stop.signal)).rejects.toThrow("own");
  const waiting = orAborted(never(), stop.signal);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(orAborted(never(), stop.signal)).rejects.toThrow("enough");
});

test("a promise that settles leaves no listener on the signal", async () => {
  const { signal } = new AbortController();
  await orAborted(Promise.resolve(1), signal);
  await orAborted(Promise.reject(new Error("own")), signal).catch(() => {});
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
