import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { ServedCall } from "../server/hooks.ts";
import { pairs } from "../testing/engine-pair.ts";
import { NoteSchema, type NotesImpl, type NotesPair, notesOf, openNotes, textsOf } from "../testing/notes.ts";

/** All four methods, each failing as `fail` does, streams after one message of the answer. */
const failing = (fail: () => never): NotesImpl => ({
  one: () => fail(),
  collect: async () => fail(),
  async *list() {
    yield { text: "a" };
    fail();
  },
  async *talk() {
    yield { text: "a" };
    fail();
  },
});

/** How each of the four ends. */
async function ends({ notes }: NotesPair): Promise<ConnectError[]> {
  const calls = [notes.one({}), notes.collect(notesOf()), textsOf(notes.list({})), textsOf(notes.talk(notesOf()))];
  const ended = await Promise.allSettled(calls);
  return ended.map((end) => ConnectError.from((end as PromiseRejectedResult).reason));
}

const codes = (errors: ConnectError[]) => errors.map(({ code }) => Code[code]);
const four = <T>(one: T) => [one, one, one, one];

describe.each(pairs)("errors from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  test("a ConnectError arrives with its code, message, details and metadata, binary too", async () => {
    const details = [{ desc: ErrorInfoSchema, value: { reason: "WHY", domain: "test" } }];
    const fail = (): never => {
      throw new ConnectError("no: ä ✓ 100%", Code.FailedPrecondition, { "x-more": "1", "x-more-bin": "AQID" }, details);
    };
    await using pair = await openNotes({ ...engines, implementation: failing(fail) });
    const errors = await ends(pair);
    expect(codes(errors)).toEqual(four("FailedPrecondition"));
    for (const error of errors) {
      expect(error.rawMessage).toBe("no: ä ✓ 100%");
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "WHY", domain: "test" }]);
      expect(error.metadata.get("x-more")).toBe("1");
      expect(error.metadata.get("x-more-bin")).toBe("AQID");
    }
  });

  test("what the handler has set before it fails arrives with the error", async () => {
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one(_, { responseHeader, responseTrailer }) {
          responseHeader.set("x-head", "h");
          responseTrailer.set("x-tail", "t");
          throw new ConnectError("no", Code.Aborted);
        },
      },
    });
    const error = ConnectError.from(await pair.notes.one({}).catch((reason) => reason));
    expect([error.metadata.get("x-head"), error.metadata.get("x-tail")]).toEqual(["h", "t"]);
  });

  test("a mistake in the handler is INTERNAL and says nothing; the hooks are told what it was", async () => {
    const ended: ServedCall[] = [];
    const bug = new TypeError("x is not a function");
    const fail = (): never => {
      throw bug;
    };
    const serving = { hooks: { callEnded: (call: ServedCall) => void ended.push(call) } };
    await using pair = await openNotes({ ...engines, serving, implementation: failing(fail) });
    const errors = await ends(pair);
    expect(errors.map(({ message }) => message)).toEqual(four("[internal] internal error"));
    await expect.poll(() => ended.length).toBe(4);
    expect(ended.map(({ code, bug }) => [code, bug])).toEqual(four([Code.Internal, bug]));
  });

  test("a thrown string is a mistake too, and nothing at all no success", async () => {
    for (const [thrown, code] of [["oops", /^Internal$/] as const, [undefined, /./] as const]) {
      const fail = (): never => {
        throw thrown;
      };
      await using pair = await openNotes({ ...engines, implementation: failing(fail) });
      for (const ended of codes(await ends(pair))) expect(ended).toMatch(code);
    }
  });

  test("hooks hear of each call once, when it begins and how it ended", async () => {
    const told: unknown[] = [];
    const hooks = {
      callStarted: ({ localName }: { localName: string }) => void told.push(localName),
      callEnded: ({ method, code, bug }: ServedCall) => void told.push([method.localName, code, bug]),
    };
    await using pair = await openNotes({
      ...engines,
      serving: { hooks },
      implementation: {
        one: () => ({}),
        async *list() {
          yield {};
          throw new ConnectError("no", Code.NotFound);
        },
      },
    });
    await pair.notes.one({});
    await textsOf(pair.notes.list({})).catch(() => {});
    await expect.poll(() => told.length).toBe(4);
    expect(told).toEqual(["one", ["one", undefined, undefined], "list", ["list", Code.NotFound, undefined]]);
  });

  test("a method without an implementation is UNIMPLEMENTED, whichever kind it is", async () => {
    await using pair = await openNotes({ ...engines, implementation: {} });
    expect(codes(await ends(pair))).toEqual(four("Unimplemented"));
  });

  test("a request that breaks its contract is INVALID_ARGUMENT, also in the middle of a stream", async () => {
    const read: string[] = [];
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one: () => ({}),
        async collect(requests) {
          for await (const { text } of requests) read.push(text);
          return {};
        },
        async *talk(requests) {
          for await (const { text } of requests) yield { text };
        },
      },
    });
    const { notes } = pair;
    await expect(notes.one({ text: "bad" })).rejects.toMatchObject({ code: Code.InvalidArgument });
    const collecting = notes.collect(notesOf("a", "b", "bad", "c"));
    await expect(collecting).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(read).toEqual(["a", "b"]);
    const texts: string[] = [];
    const talking = (async () => {
      for await (const { text } of notes.talk(notesOf("a", "bad", "c"))) texts.push(text);
    })();
    await expect(talking).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(texts).toEqual(["a"]);
  });

  test("an error in the caller's own messages is what the call fails with", async () => {
    await using pair = await openNotes({
      ...engines,
      implementation: { collect: async (requests) => ({ text: (await textsOf(requests)).join() }) },
    });
    const mine = async function* () {
      yield { text: "a" };
      throw new ConnectError("mine broke", Code.DataLoss);
    };
    await expect(pair.notes.collect(mine())).rejects.toMatchObject({ code: Code.DataLoss, rawMessage: "mine broke" });
  });

  test("an answer may be a message, what a message is made from, or nothing much", async () => {
    const message = create(NoteSchema, { text: "m" });
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one: ({ text }) => (text === "m" ? message : { text: "i" }),
        collect: async () => ({ count: 3 }),
        async *list() {
          yield message;
          yield { text: "i" };
          yield {};
        },
      },
    });
    const { notes } = pair;
    expect((await notes.one({ text: "m" })).text).toBe("m");
    expect((await notes.one({})).text).toBe("i");
    expect(await notes.collect(notesOf())).toMatchObject({ text: "", count: 3 });
    expect(await textsOf(notes.list({}))).toEqual(["m", "i", ""]);
  });
});

describe.each(pairs.filter(([client]) => client === "own"))("from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  test("a stream of requests that breaks off is not taken for a whole one", async () => {
    const read = Promise.withResolvers<string[]>();
    const collect: NotesImpl["collect"] = async (requests) => {
      read.resolve(textsOf(requests));
      return { text: (await read.promise).join() };
    };
    await using pair = await openNotes({ ...engines, implementation: { collect } });
    const mine = async function* () {
      yield { text: "a" };
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error("mine broke");
    };
    await pair.notes.collect(mine()).catch(() => {});
    await expect(read.promise).rejects.toThrow();
  });
});
