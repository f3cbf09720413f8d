import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { pairs } from "../testing/engine-pair.ts";
import { type NotesImpl, openNotes } from "../testing/notes.ts";
import { maxMessageBytes } from "./grpc/messages.ts";

/** What a message of so many bytes of data is beyond those: its tag and their length. */
const overheadBytes = 5;
const largest = new Uint8Array(maxMessageBytes - overheadBytes);
const tooLarge = new Uint8Array(maxMessageBytes - overheadBytes + 1);

async function* each(...data: Uint8Array[]) {
  for (const one of data) yield { data: one };
}

async function sizesOf(messages: AsyncIterable<{ readonly data: Uint8Array }>): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { data } of messages) sizes.push(data.length);
  return sizes;
}

/** Echoes, or answers with `count` bytes where that is asked for. */
const echo: NotesImpl = {
  one: ({ data, count }) => ({ data: count > 0 ? new Uint8Array(count) : data }),
  collect: async (requests) => ({ count: (await sizesOf(requests)).reduce((sum, size) => sum + size, 0) }),
  async *list({ count }) {
    yield { data: new Uint8Array(count) };
  },
  async *talk(requests) {
    yield* requests;
  },
};

const exhausted = { code: Code.ResourceExhausted };

describe.each(pairs)("sizes of messages from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  const open = (session = {}) => openNotes({ ...engines, session, implementation: echo });

  test("a message of as many bytes as may be is taken, both ways, alone or in a stream", async () => {
    await using pair = await open();
    const { notes } = pair;
    expect((await notes.one({ data: largest })).data).toHaveLength(largest.length);
    expect((await notes.collect(each(largest, largest))).count).toBe(2 * largest.length);
    expect(await sizesOf(notes.list({ count: largest.length }))).toEqual([largest.length]);
    expect(await sizesOf(notes.talk(each(largest, largest)))).toEqual([largest.length, largest.length]);
  });

  test("one byte more is not sent: RESOURCE_EXHAUSTED, and the next call is well", async () => {
    await using pair = await open();
    const { notes } = pair;
    await expect(notes.one({ data: tooLarge })).rejects.toMatchObject(exhausted);
    await expect(notes.collect(each(tooLarge))).rejects.toMatchObject(exhausted);
    await expect(sizesOf(notes.talk(each(tooLarge)))).rejects.toMatchObject(exhausted);
    await expect(notes.one({ count: tooLarge.length })).rejects.toMatchObject(exhausted);
    await expect(sizesOf(notes.list({ count: tooLarge.length }))).rejects.toMatchObject(exhausted);
    expect((await notes.one({ data: largest })).data).toHaveLength(largest.length);
  });

  test("a server refuses one byte more, whatever its caller is willing to send", async () => {
    const open2 = () => open({ maxMessageBytes: 2 * maxMessageBytes });
    await using one = await open2(); // a session each: Node's client ails once what it sends is refused repeatedly
    await expect(one.notes.one({ data: tooLarge })).rejects.toMatchObject(exhausted);
    await using collect = await open2();
    await expect(collect.notes.collect(each(tooLarge))).rejects.toMatchObject(exhausted);
    await using talk = await open2();
    await expect(sizesOf(talk.notes.talk(each(new Uint8Array(1), tooLarge)))).rejects.toMatchObject(exhausted);
  });

  test("a session's own limit counts for what it sends and what it takes", async () => {
    await using pair = await open({ maxMessageBytes: 1_000 });
    const { notes } = pair;
    await expect(notes.one({ data: new Uint8Array(1_000) })).rejects.toMatchObject(exhausted);
    await expect(notes.one({ count: 1_000 })).rejects.toMatchObject(exhausted);
    await expect(sizesOf(notes.list({ count: 1_000 }))).rejects.toMatchObject(exhausted);
    expect((await notes.one({ count: 900 })).data).toHaveLength(900);
  });
});

describe.each(pairs.filter(([client]) => client === "own"))(
  "refusals from %s to %s",
  { timeout: 20_000 },
  (_c, _s, engines) => {
    test("messages that are refused while they are being sent cost the connection nothing", async () => {
      const session = { maxMessageBytes: 2 * maxMessageBytes };
      await using pair = await openNotes({ ...engines, session, implementation: echo });
      for (let turn = 0; turn < 8; turn++) {
        await expect(pair.notes.collect(each(tooLarge))).rejects.toMatchObject(exhausted);
        await expect(pair.notes.one({ data: tooLarge })).rejects.toMatchObject(exhausted);
      }
      expect((await pair.notes.one({ data: largest })).data).toHaveLength(largest.length);
    });
  },
);

describe.each(pairs.flatMap((pair) => ["gzip", "br", "zstd"].map((name) => [...pair, name] as const)))(
  "compression from %s to %s",
  (_c, server, engines, compression) => {
    const seen: (string | null)[] = [];
    const look: Interceptor = (next) => async (req) => {
      const res = await next(req);
      seen.push(res.header.get("grpc-encoding"));
      return res;
    };
    const open = () => openNotes({ ...engines, session: { compression }, implementation: echo, interceptors: [look] });

    test(`with ${compression} large messages and small ones come through both ways, and answers come in kind`, async () => {
      await using pair = await open();
      const { notes } = pair;
      const noise = new Uint8Array(5_000).map((_, i) => (i * i * 31) % 251);
      seen.length = 0;
      for (const data of [new Uint8Array(300_000), noise, new Uint8Array(10), new Uint8Array()]) {
        expect(Buffer.compare((await notes.one({ data })).data, data)).toBe(0);
      }
      expect(await sizesOf(notes.talk(each(noise, new Uint8Array(), noise)))).toEqual([5_000, 0, 5_000]);
      expect((await notes.collect(each(noise, noise))).count).toBe(10_000);
      expect(await sizesOf(notes.list({ count: 100_000 }))).toEqual([100_000]);
      const inKind = server === "own" ? compression : "gzip"; // Connect takes the first one that the client accepts
      expect(new Set(seen)).toEqual(new Set([inKind]));
    });

    test(`with ${compression} a message is measured as it is, not as it travels`, async () => {
      await using pair = await open();
      const { notes } = pair;
      expect((await notes.one({ data: largest })).data).toHaveLength(largest.length);
      await expect(notes.one({ data: tooLarge })).rejects.toMatchObject(exhausted);
      await expect(notes.one({ count: tooLarge.length })).rejects.toMatchObject(exhausted);
    });
  },
);

test("an unknown compression is told to whoever asks for it", async () => {
  const [, , engines] = pairs.at(-1) as (typeof pairs)[number];
  const opening = openNotes({ ...engines, session: { compression: "zipper" }, implementation: echo });
  const failed = await opening.then((pair) => pair.notes.one({})).catch((reason) => ConnectError.from(reason));
  expect(failed).toMatchObject({ code: Code.Unimplemented, rawMessage: expect.stringContaining("zipper") });
});
