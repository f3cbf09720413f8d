import { create, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, test, vi } from "vitest";
import { Inbox } from "./inbox.ts";

const bytesOf = (value: string) => toBinary(StringValueSchema, create(StringValueSchema, { value }));
const KiB = 1024;

function openInbox() {
  const [onConsumed, onLeft] = [vi.fn(), vi.fn()];
  const inbox = new Inbox({ schema: StringValueSchema, onConsumed, onLeft });
  return {
    inbox,
    onLeft,
    /** Bytes that the peer may send again. */
    consumed: () => onConsumed.mock.calls.reduce((sum, [bytes]) => sum + (bytes as number), 0),
    /** As the wire does with each piece: first the messages, then how much it was. */
    arrive(...values: string[]) {
      const sizes = values.map((value) => {
        const bytes = bytesOf(value);
        inbox.put(bytes, bytes.length);
        return bytes.length + 5;
      });
      inbox.arrived(sizes.reduce((sum, size) => sum + size, 0));
    },
    next: async () => {
      const { value } = await inbox.next();
      return (value as StringValue | undefined)?.value;
    },
  };
}

test("messages are read in the order they came, whether the reader or they were first", async () => {
  const { inbox, arrive, next } = openInbox();
  const waiting = next();
  arrive("a", "b");
  arrive("c");
  inbox.end();
  expect([await waiting, await next(), await next(), await next()]).toEqual(["a", "b", "c", undefined]);
});

test("several who wait are served in the order they asked", async () => {
  const { inbox, arrive, next } = openInbox();
  const waiting = [next(), next(), next(), next(), next()];
  arrive("a");
  await Promise.resolve();
  arrive("b", "c");
  inbox.end();
  expect(await Promise.all(waiting)).toEqual(["a", "b", "c", undefined, undefined]);
});

test("messages that are still being decompressed keep their place", async () => {
  const { inbox, arrive, next } = openInbox();
  const slow = Promise.withResolvers<Uint8Array>();
  arrive("a");
  inbox.put(slow.promise, 3);
  arrive("c");
  inbox.end();
  const read = [next(), next(), next(), next()];
  slow.resolve(bytesOf("b"));
  expect(await Promise.all(read)).toEqual(["a", "b", "c", undefined]);
});

test("a message that does not decompress fails who reads it, and nobody before", async () => {
  const { inbox, arrive, next } = openInbox();
  arrive("a");
  inbox.put(Promise.reject(new Error("no gzip")), 3);
  await new Promise((resolve) => setImmediate(resolve)); // nobody reads it yet: no unhandled rejection either
  expect(await next()).toBe("a");
  await expect(next()).rejects.toThrow("no gzip");
});

test("a message that cannot be decoded fails who reads it, and is the end: nothing more is read or held back", async () => {
  const { inbox, arrive, next, onLeft, consumed } = openInbox();
  inbox.put(new Uint8Array([0xff, 0xff]), 2);
  arrive("x".repeat(500 * KiB));
  const reason = await inbox.next().catch((reason) => reason);
  expect(reason.rawMessage).toContain("cannot decode google.protobuf.StringValue");
  expect(onLeft).toHaveBeenCalledExactlyOnceWith({ reason });
  expect(await next()).toBeUndefined();
  expect(consumed()).toBeGreaterThan(500 * KiB);
});

test("what arrives may be sent again at once while little waits unread", () => {
  const { arrive, consumed } = openInbox();
  arrive("x".repeat(100 * KiB));
  expect(consumed()).toBeGreaterThan(100 * KiB);
});

test("the peer is held back while more than the limit waits unread, and gets it all when that is read", async () => {
  const { arrive, consumed, next } = openInbox();
  const piece = 100 * KiB;
  for (let i = 0; i < 5; i++) arrive("x".repeat(piece));
  const early = consumed();
  expect(early).toBeGreaterThan(piece);
  expect(early).toBeLessThan(3 * piece);
  await next(); // 4 wait
  expect(consumed()).toBe(early);
  await next();
  await next(); // 2 wait, less than the limit
  expect(consumed()).toBeGreaterThan(5 * piece);
  const all = consumed();
  await next();
  expect(consumed()).toBe(all);
});

test("tiny messages count as more than their bytes", () => {
  const { arrive, consumed } = openInbox();
  for (let i = 0; i < 20_000; i++) arrive("");
  expect(consumed()).toBeLessThan(10_000 * 5);
});

test("bytes of a message that is not whole yet are given back, so that it can become whole", () => {
  const { inbox, consumed } = openInbox();
  for (let i = 0; i < 64; i++) inbox.arrived(64 * KiB);
  expect(consumed()).toBe(4096 * KiB);
});

test("an end with a reason is told once what has arrived was read, and only once", async () => {
  const { inbox, arrive, next } = openInbox();
  arrive("a");
  inbox.end({ reason: new Error("lost") });
  inbox.end();
  expect(await next()).toBe("a");
  await expect(next()).rejects.toThrow("lost");
  expect(await next()).toBeUndefined();
});

test("an end reaches who waits: with nothing, or with its reason, even if that is undefined", async () => {
  const [well, failed, odd] = [openInbox(), openInbox(), openInbox()];
  const waiting = [well.next(), failed.next(), odd.next()];
  well.inbox.end();
  failed.inbox.end({ reason: new Error("lost") });
  odd.inbox.end({ reason: undefined });
  expect(await Promise.allSettled(waiting)).toEqual([
    { status: "fulfilled", value: undefined },
    { status: "rejected", reason: new Error("lost") },
    { status: "rejected", reason: undefined },
  ]);
});

test("an end that discards leaves nothing to read, and lets the peer have its window back", async () => {
  const { inbox, arrive, consumed, next } = openInbox();
  for (let i = 0; i < 5; i++) arrive("x".repeat(100 * KiB));
  inbox.end({ reason: new Error("over") }, true);
  expect(consumed()).toBeGreaterThan(500 * KiB);
  await expect(next()).rejects.toThrow("over");
});

test("what comes after the end is not taken", async () => {
  const { inbox, arrive, next } = openInbox();
  inbox.end();
  arrive("late");
  expect(await next()).toBeUndefined();
});

test("a reader that leaves is told of once, discards the rest and holds nobody back", async () => {
  const { inbox, arrive, consumed, onLeft, next } = openInbox();
  arrive("a", "b");
  for (let i = 0; i < 5; i++) arrive("x".repeat(100 * KiB));
  for await (const message of inbox) {
    expect((message as StringValue).value).toBe("a");
    break;
  }
  await inbox.return();
  expect(onLeft).toHaveBeenCalledTimes(1);
  expect(consumed()).toBeGreaterThan(500 * KiB);
  expect(await next()).toBeUndefined();
  arrive("x".repeat(500 * KiB));
  expect(consumed()).toBeGreaterThan(1_000 * KiB);
});

test("a reader that has read to the end has not left", async () => {
  const { inbox, arrive, onLeft } = openInbox();
  arrive("a");
  inbox.end();
  for await (const _ of inbox) {
  }
  await inbox.return();
  expect(onLeft).not.toHaveBeenCalled();
});
