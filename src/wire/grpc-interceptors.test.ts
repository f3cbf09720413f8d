import { create, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { pairs } from "../testing/engine-pair.ts";
import { type Note, NoteSchema, Notes, notesOf, openNotes, textsOf } from "../testing/notes.ts";

type Response = Awaited<ReturnType<ReturnType<Interceptor>>>;

const note = (text: string) => create(NoteSchema, { text });
async function* each(messages: AsyncIterable<Message>, suffix: string): AsyncIterable<Message> {
  for await (const message of messages) yield note((message as Note).text + suffix);
}
/** Puts a word behind every message, in the direction that is asked for. */
const behind = (word: string, { there = false, back = false }): Interceptor => {
  const changed = <T extends { stream: boolean; message: unknown }>(one: T): T =>
    (one.stream
      ? { ...one, message: each(one.message as AsyncIterable<Message>, word) }
      : { ...one, message: note((one.message as Note).text + word) }) as T;
  return (next) => async (req) => {
    const res = await next(there ? changed(req) : req);
    return back ? changed(res) : res;
  };
};

/** Whatever comes in goes out. */
const echo = {
  one: ({ text }: Note) => ({ text }),
  collect: async (requests: AsyncIterable<Note>) => ({ text: (await textsOf(requests)).join() }),
  async *list({ text }: Note) {
    yield { text };
  },
  async *talk(requests: AsyncIterable<Note>) {
    for await (const { text } of requests) yield { text };
  },
};

describe.each(pairs)("interceptors from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  const open = (client: Interceptor[], server: Interceptor[], implementation: object = echo) =>
    openNotes({ ...engines, interceptors: client, serving: { interceptors: server }, implementation });

  const texts = async ({ notes }: Awaited<ReturnType<typeof open>>, options = {}) => [
    (await notes.one({ text: "a" }, options)).text,
    (await notes.collect(notesOf("a", "b"), options)).text,
    ...(await textsOf(notes.list({ text: "a" }, options))),
    ...(await textsOf(notes.talk(notesOf("a", "b"), options))),
  ];

  test("they may replace requests and answers, each around the next, on either end", async () => {
    const [c1, c2] = [behind("1", { there: true, back: true }), behind("2", { there: true, back: true })];
    const [s1, s2] = [behind("3", { there: true, back: true }), behind("4", { there: true, back: true })];
    await using pair = await open([c1, c2], [s1, s2]);
    const round = (text: string) => `${text}12344321`;
    expect(await texts(pair)).toEqual([round("a"), "a1234,b12344321", round("a"), round("a"), round("b")]);
  });

  test("they see the whole call as own properties, which survive being spread", async () => {
    const seen: object[] = [];
    const look: Interceptor = (next) => async (req) => {
      const copy = { ...req };
      const { stream, service, method, requestMethod, url, signal, header, contextValues } = copy;
      seen.push({ stream, service: service.typeName, method: method.localName, requestMethod, url });
      expect(signal).toBeInstanceOf(AbortSignal);
      expect(header).toBeInstanceOf(Headers);
      expect(contextValues.get(createContextKey("d"))).toBe("d");
      const res = { ...(await next(copy)) } as Response;
      expect([res.stream, res.service.typeName, res.method]).toEqual([stream, Notes.typeName, method]);
      expect(res.header).toBeInstanceOf(Headers);
      expect(res.trailer).toBeInstanceOf(Headers);
      return res;
    };
    await using pair = await open([look], [look]);
    expect(await texts(pair)).toEqual(["a", "a,b", "a", "a", "b"]);
    const one = { stream: false, service: Notes.typeName, method: "one", requestMethod: "POST" };
    const url = `${pair.session.origin}/notes.v1.Notes/One`;
    expect(seen.slice(0, 2)).toEqual([
      { ...one, url },
      { ...one, url },
    ]);
    expect(seen.map((one) => (one as { stream: boolean }).stream)).toEqual([false, false, ...Array(6).fill(true)]);
  });

  test("header fields that they add, on the way there and back, arrive", async () => {
    const client: Interceptor = (next) => async (req) => {
      req.header.set("x-there", "1");
      const res = await next(req);
      expect([res.header.get("x-head"), res.header.get("x-handler")]).toEqual(["2", "4"]);
      return res;
    };
    const server: Interceptor = (next) => async (req) => {
      expect(req.header.get("x-there")).toBe("1");
      const res = await next(req);
      res.header.set("x-head", "2");
      res.trailer.set("x-tail", "3");
      return res;
    };
    const implementation = {
      one: ({ text }: Note, { responseHeader }: { responseHeader: Headers }) => {
        responseHeader.set("x-handler", "4");
        return { text };
      },
    };
    await using pair = await open([client], [server], implementation);
    const tails: (string | null)[] = [];
    await pair.notes.one({}, { onTrailer: (trailer) => tails.push(trailer.get("x-tail")) });
    expect(tails).toEqual(["3"]);
  });

  test("the caller's context values reach its interceptors; what they set, the handler's see not", async () => {
    const key = createContextKey("default");
    const seen: string[] = [];
    const look: Interceptor = (next) => (req) => {
      seen.push(req.contextValues.get(key));
      return next(req);
    };
    const values = createContextValues().set(key, "given");
    const toHandler: Interceptor = (next) => (req) => {
      req.contextValues.set(key, "set");
      return next(req);
    };
    const implementation = {
      one: (_: Note, { values }: { values: { get(k: typeof key): string } }) => ({ text: values.get(key) }),
    };
    await using pair = await open([look], [look, toHandler], implementation);
    expect((await pair.notes.one({}, { contextValues: values })).text).toBe("set");
    expect(seen).toEqual(["given", "default"]);
    expect(values.get(key)).toBe("given");
  });

  test("a signal that they put in place of the call's ends it", async () => {
    const leave = new AbortController();
    const client: Interceptor = (next) => (req) => next({ ...req, signal: leave.signal });
    const aborted = Promise.withResolvers<void>();
    const implementation = {
      one: (_: Note, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener("abort", () => aborted.resolve());
        leave.abort(new ConnectError("enough", Code.Aborted));
        return new Promise(() => {});
      },
    };
    await using pair = await open([client], [], implementation);
    await expect(pair.notes.one({})).rejects.toMatchObject({ code: Code.Aborted });
    await aborted.promise;
  });

  test("they may answer themselves, or refuse, and the handler hears of nothing", async () => {
    const answer: Interceptor = (next) => async (req) => {
      if (req.stream) throw new ConnectError("not today", Code.ResourceExhausted);
      const { service, method } = req;
      if (req.header.has("x-pass")) return next(req);
      const message = note("mine");
      return { stream: false, service, method, header: new Headers(), trailer: new Headers(), message };
    };
    const refuse: Interceptor = () => async () => {
      throw new ConnectError("not today", Code.ResourceExhausted);
    };
    const nobody = { one: () => Promise.reject(new Error("it was called")) };
    await using here = await open([answer], [], nobody);
    expect((await here.notes.one({})).text).toBe("mine");
    await expect(textsOf(here.notes.list({}))).rejects.toMatchObject({ code: Code.ResourceExhausted });
    await expect(here.notes.one({}, { headers: { "x-pass": "1" } })).rejects.toMatchObject({ code: Code.Internal });
    await using there = await open([], [refuse], nobody);
    await expect(there.notes.one({})).rejects.toMatchObject({ code: Code.ResourceExhausted });
    await expect(textsOf(there.notes.list({}))).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });

  test("a client's interceptor may call again what has failed", async () => {
    let asked = 0;
    const again: Interceptor = (next) => async (req) => {
      try {
        return await next(req);
      } catch {
        return next(req);
      }
    };
    const implementation = {
      one: () => {
        if (++asked === 1) throw new ConnectError("not now", Code.Unavailable);
        return { text: `after ${asked}` };
      },
    };
    await using pair = await open([again], [], implementation);
    expect((await pair.notes.one({}, { timeoutMs: 5_000 })).text).toBe("after 2");
  });

  test("what a server's interceptor throws counts as the handler's", async () => {
    const throwing: Interceptor = () => async () => {
      throw new TypeError("a mistake");
    };
    await using pair = await open([], [throwing]);
    await expect(pair.notes.one({})).rejects.toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  });
});
