import { randomBytes } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { pairs } from "../testing/engine-pair.ts";
import { type NotesImpl, notesOf, openNotes, textsOf } from "../testing/notes.ts";

const MiB = 1024 * 1024;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const echo: NotesImpl = {
  one: (request) => request,
  collect: async (requests) => ({ text: (await textsOf(requests)).join() }),
  async *list({ text, count }) {
    for (let i = 0; i < count; i++) yield { text };
  },
  async *talk(requests) {
    yield* requests;
  },
};

/** Waits until a count has not grown for a while. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await pause(120);
  }
  return count();
}

describe.each(pairs)("streams from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  const open = (implementation: NotesImpl = echo) => openNotes({ ...engines, implementation });

  test("streams without a message, either way, end well", async () => {
    await using pair = await open();
    expect((await pair.notes.collect(notesOf())).text).toBe("");
    expect(await textsOf(pair.notes.list({}))).toEqual([]);
    expect(await textsOf(pair.notes.talk(notesOf()))).toEqual([]);
  });

  test("messages without a byte are messages", async () => {
    await using pair = await open();
    expect((await pair.notes.one({})).text).toBe("");
    expect((await pair.notes.collect(notesOf("", "", ""))).text).toBe(",,");
    expect(await textsOf(pair.notes.list({ count: 3 }))).toEqual(["", "", ""]);
    expect(await textsOf(pair.notes.talk(notesOf("", "")))).toEqual(["", ""]);
  });

  test("ten thousand small messages arrive in their order, both ways", async () => {
    await using pair = await open();
    const words = Array.from({ length: 10_000 }, (_, i) => `${i}`);
    expect(await textsOf(pair.notes.talk(notesOf(...words)))).toEqual(words);
  });

  test("a conversation goes back and forth, each side waiting for the other", async () => {
    await using pair = await open();
    const heard: string[] = [];
    let answered = Promise.withResolvers<void>();
    const mine = async function* () {
      for (let i = 0; i < 20; i++) {
        answered = Promise.withResolvers<void>();
        yield { text: `${i}` };
        await answered.promise;
      }
    };
    for await (const { text } of pair.notes.talk(mine())) {
      heard.push(text);
      answered.resolve();
    }
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });

  test("an answer that comes while the caller still sends ends the call, and its messages", async () => {
    await using pair = await open({
      collect: async (requests) => {
        for await (const { text } of requests) return { text: `enough: ${text}` };
        return {};
      },
      async *talk() {
        yield { text: "early" };
      },
    });
    for (let turn = 0; turn < 3; turn++) {
      const cleanedUp = vi.fn();
      const endless = async function* () {
        try {
          for (let i = 0; ; i++) {
            yield { text: `${i}` };
            await pause(1);
          }
        } finally {
          cleanedUp();
        }
      };
      expect((await pair.notes.collect(endless())).text).toBe("enough: 0");
      expect(await textsOf(pair.notes.talk(endless()))).toEqual(["early"]);
      await vi.waitFor(() => expect(cleanedUp).toHaveBeenCalledTimes(2), 5_000);
    }
  });

  test("an early error while the caller sends much is what the caller is told", async () => {
    await using pair = await open({
      ...echo,
      collect: async () => {
        throw new ConnectError("full", Code.ResourceExhausted);
      },
    });
    const data = new Uint8Array(MiB);
    const much = async function* () {
      for (let i = 0; i < 30; i++) yield { data };
    };
    await expect(pair.notes.collect(much())).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "full",
    });
    expect(await textsOf(pair.notes.list({ count: 1, text: "well" }))).toEqual(["well"]);
  });

  test("a handler that answers a caller who reads slowly does not run ahead by more than a few MiB", async () => {
    const data = randomBytes(MiB / 4); // no compression makes less of it
    let sent = 0;
    await using pair = await open({
      async *list() {
        for (; sent < 64; sent++) yield { data };
      },
    });
    let read = 0;
    for await (const _ of pair.notes.list({})) {
      if (read++ === 0) expect(await settled(() => sent)).toBeLessThan(48);
    }
    expect([sent, read]).toEqual([64, 64]);
  });

  test("a caller who sends to a handler that reads slowly does not run ahead either", async () => {
    const data = randomBytes(MiB / 4); // no compression makes less of it
    const gate = Promise.withResolvers<void>();
    let [sent, read] = [0, 0];
    await using pair = await open({
      collect: async (requests) => {
        for await (const _ of requests) if (read++ === 0) await gate.promise;
        return { count: read };
      },
    });
    const much = async function* () {
      for (; sent < 64; sent++) yield { data };
    };
    const call = pair.notes.collect(much());
    expect(await settled(() => sent)).toBeLessThan(48);
    gate.resolve();
    expect((await call).count).toBe(64);
  });

  test("a stream that nobody reads does not stop the others on its connection", async () => {
    const data = randomBytes(MiB / 4); // no compression makes less of it
    await using pair = await open({
      ...echo,
      async *list() {
        for (let i = 0; i < 40; i++) yield { data };
      },
    });
    const leave = new AbortController();
    const unread = pair.notes.list({}, { signal: leave.signal })[Symbol.asyncIterator]();
    await unread.next();
    for (let i = 0; i < 20; i++) expect((await pair.notes.one({ text: `${i}` })).text).toBe(`${i}`);
    leave.abort();
    await expect(async () => {
      while (!(await unread.next()).done);
    }).rejects.toMatchObject({ code: Code.Canceled });
  });

  test("1,000 calls at once on one session are all answered, each with its own", async () => {
    await using pair = await open();
    const words = Array.from({ length: 1_000 }, (_, i) => `${i}`);
    const calls = words.map(async (text, i) => {
      if (i % 4 === 0) return (await textsOf(pair.notes.list({ text, count: 1 })))[0];
      if (i % 4 === 1) return (await pair.notes.collect(notesOf(text))).text;
      if (i % 4 === 2) return (await textsOf(pair.notes.talk(notesOf(text))))[0];
      return (await pair.notes.one({ text }, { timeoutMs: 20_000 })).text;
    });
    expect(await Promise.all(calls)).toEqual(words);
  });
});
