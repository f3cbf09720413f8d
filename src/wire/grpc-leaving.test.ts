import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { pairs } from "../testing/engine-pair.ts";
import { type NotesImpl, notesOf, openNotes, textsOf } from "../testing/notes.ts";

const never = () => new Promise<never>(() => {});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(pairs)("leaving a call from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  /** Handlers that answer never, or for ever, and note their signals and whether their generators cleaned up. */
  async function openEndless() {
    const signals: AbortSignal[] = [];
    const cleanedUp = vi.fn();
    async function* forever() {
      try {
        for (;;) {
          yield { text: "a" };
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        cleanedUp();
      }
    }
    const implementation: NotesImpl = {
      one: (_, { signal }) => {
        signals.push(signal);
        return never();
      },
      collect: async (requests, { signal }) => {
        signals.push(signal);
        for await (const _ of requests) {
        }
        return never();
      },
      list: (_, { signal }) => {
        signals.push(signal);
        return forever();
      },
      talk: (_, { signal }) => {
        signals.push(signal);
        return forever();
      },
    };
    const pair = await openNotes({ ...engines, implementation });
    const allAborted = (count: number) =>
      vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual(Array(count).fill(true)), 5_000);
    return Object.assign(pair, { signals, cleanedUp, allAborted });
  }

  test("the caller's signal ends calls of every kind, on both sides", async () => {
    await using pair = await openEndless();
    const leave = new AbortController();
    const { signal } = leave;
    const { notes } = pair;
    const calls = [
      notes.one({}, { signal }),
      notes.collect(notesOf("a"), { signal }),
      textsOf(notes.list({}, { signal })),
      textsOf(notes.talk(notesOf("a"), { signal })),
    ];
    const ended = Promise.allSettled(calls);
    await vi.waitFor(() => expect(pair.signals).toHaveLength(4));
    leave.abort();
    const codes = (await ended).map((end) => Code[ConnectError.from((end as PromiseRejectedResult).reason).code]);
    expect(codes).toEqual(Array(4).fill("Canceled"));
    await pair.allAborted(4);
    await vi.waitFor(() => expect(pair.cleanedUp).toHaveBeenCalledTimes(2));
  });

  test("a signal that has aborted already means that nothing is sent, and the next call is well", async () => {
    const asked = vi.fn();
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one({ text }) {
          if (text === "late") asked();
          return { text };
        },
        async *list({ text }) {
          asked();
          yield { text };
        },
        async *talk(requests) {
          asked();
          yield* requests;
        },
        async collect() {
          asked();
          return {};
        },
      },
    });
    const { notes } = pair;
    for (const warm of [false, true]) {
      const options = { signal: AbortSignal.abort(new ConnectError("before", Code.Aborted)) };
      const calls = [
        notes.one({ text: "late" }, options),
        notes.collect(notesOf("a"), options),
        textsOf(notes.list({}, options)),
        textsOf(notes.talk(notesOf("a"), options)),
      ];
      const codes = (await Promise.allSettled(calls)).map((end) =>
        end.status === "rejected" ? ConnectError.from(end.reason).code : `answered, warm: ${warm}`,
      );
      expect(codes).toEqual(Array(4).fill(Code.Aborted));
      expect((await notes.one({ text: "well" })).text).toBe("well");
    }
    expect(asked).not.toHaveBeenCalled();
  });

  test("a signal's own reason, a ConnectError, is what the caller is told", async () => {
    await using pair = await openEndless();
    const leave = new AbortController();
    const call = pair.notes.one({}, { signal: leave.signal });
    await vi.waitFor(() => expect(pair.signals).toHaveLength(1));
    leave.abort(new ConnectError("enough", Code.ResourceExhausted));
    await expect(call).rejects.toMatchObject({ code: Code.ResourceExhausted, rawMessage: "enough" });
  });

  test("a caller that reads no more and says so ends the call: the handler's generator cleans up, and so does its own", async () => {
    await using pair = await openEndless();
    const mine = vi.fn();
    const words = async function* () {
      try {
        for (;;) {
          yield { text: "a" };
          await turn();
        }
      } finally {
        mine();
      }
    };
    const leave = new AbortController();
    const { signal } = leave;
    for (const stream of [pair.notes.list({}, { signal }), pair.notes.talk(words(), { signal })]) {
      for await (const _ of stream) break;
    }
    leave.abort();
    await pair.allAborted(2);
    await vi.waitFor(() => expect(pair.cleanedUp).toHaveBeenCalledTimes(2), 5_000);
    await vi.waitFor(() => expect(mine).toHaveBeenCalledTimes(1), 5_000);
  });

  test("the caller's deadline ends calls of every kind, whatever the handler does, and says so", async () => {
    await using pair = await openEndless();
    const { notes } = pair;
    const options = { timeoutMs: 100 };
    const calls = [
      notes.one({}, options),
      notes.collect(notesOf("a"), options),
      textsOf(notes.list({}, options)),
      textsOf(notes.talk(notesOf("a"), options)),
    ];
    const ended = await Promise.allSettled(calls);
    const codes = ended.map((end) => Code[ConnectError.from((end as PromiseRejectedResult).reason).code]);
    expect(codes).toEqual(Array(4).fill("DeadlineExceeded"));
    await pair.allAborted(4);
  });

  test("a deadline that only the server knows of ends the call there, and the caller is told", async () => {
    await using pair = await openEndless();
    const options = { headers: { "grpc-timeout": "80m" } };
    await expect(pair.notes.one({}, options)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await expect(textsOf(pair.notes.list({}, options))).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await pair.allAborted(2);
  });

  test("a deadline in no hurry does not end what is over, nor keep it", async () => {
    await using pair = await openNotes({ ...engines, implementation: { one: () => ({ text: "a" }) } });
    for (let i = 0; i < 20; i++) expect((await pair.notes.one({}, { timeoutMs: 50 })).text).toBe("a");
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect((await pair.notes.one({}, { timeoutMs: 5_000 })).text).toBe("a");
  });
});
