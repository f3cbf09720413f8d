import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterEach, describe, expect, test, vi } from "vitest";
import { progressOf } from "../call/progress.ts";
import { Notes, type NotesImpl, notesOf, openNotes, textsOf } from "../testing/notes.ts";
import { grpcTransport } from "./grpc.ts";
import { ownEngine } from "./own.ts";

const engines = { client: ownEngine, server: ownEngine };
const never = () => new Promise<never>(() => {});

/** How a call ended: its answer, or the error's code and how far it got. */
async function endOf(call: Promise<unknown>) {
  try {
    return await call;
  } catch (reason) {
    const error = ConnectError.from(reason);
    return { code: Code[error.code], progress: progressOf(error) };
  }
}

const proxies: { close(): void }[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

/** A port in front of another one, whose connections can be cut. */
async function openProxy(port: number) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const other = connect(port, "127.0.0.1");
    for (const [from, to] of [[socket, other] as const, [other, socket] as const]) {
      sockets.push(from);
      from.on("error", () => {});
      from.pipe(to);
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets.splice(0)) socket.destroy();
  };
  const close = () => {
    cut();
    server.close();
  };
  proxies.push({ close });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, cut, close };
}

async function openThroughProxy(implementation: NotesImpl) {
  const pair = await openNotes({ ...engines, implementation });
  const proxy = await openProxy(pair.server.port);
  const session = ownEngine.connect(proxy.address);
  const notes = createClient(Notes, grpcTransport(session));
  return {
    notes,
    proxy,
    server: pair.server,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe("a connection that is lost", () => {
  /** Handlers that begin and never end, and note their signals. */
  async function openHanging() {
    const signals: AbortSignal[] = [];
    const through = await openThroughProxy({
      one: ({ text }, { signal }) => {
        if (text === "well") return { text };
        signals.push(signal);
        return never();
      },
      collect: (_, { signal }) => {
        signals.push(signal);
        return never();
      },
      async *list(_, { signal }) {
        signals.push(signal);
        yield { text: "a" };
        await never();
      },
      async *talk(_, { signal }) {
        signals.push(signal);
        yield { text: "a" };
        await never();
      },
    });
    return Object.assign(through, { signals });
  }

  test("calls of every kind that were under way may have been processed; handlers hear of it, and the next call is well", async () => {
    await using through = await openHanging();
    const { notes, proxy, signals } = through;
    const calls = [
      notes.one({}),
      notes.collect(notesOf("a")),
      textsOf(notes.list({})),
      textsOf(notes.talk(notesOf("a"))),
    ].map(endOf);
    await vi.waitFor(() => expect(signals).toHaveLength(4), 5_000);
    proxy.cut();
    const lost = { code: "Unavailable", progress: "processed" };
    expect(await Promise.all(calls)).toEqual([lost, lost, lost, lost]);
    await vi.waitFor(() => expect(signals.every(({ aborted }) => aborted)).toBe(true), 5_000);
    expect((await notes.one({ text: "well" })).text).toBe("well");
  });

  test("a stream keeps what had arrived before: it is read, then the loss is told", async () => {
    await using through = await openHanging();
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { text } of through.notes.list({})) {
        texts.push(text);
        through.proxy.cut();
      }
    })();
    expect(await endOf(reading)).toEqual({ code: "Unavailable", progress: "processed" });
    expect(texts).toEqual(["a"]);
  });

  test("when nobody is there any more, nothing of the next call was sent", async () => {
    await using through = await openHanging();
    const { notes, proxy } = through;
    expect((await notes.one({ text: "well" })).text).toBe("well");
    proxy.close();
    await vi.waitFor(async () => {
      expect(await endOf(notes.one({}))).toEqual({ code: "Unavailable", progress: "not-sent" });
    }, 5_000);
    expect(await endOf(textsOf(notes.talk(notesOf("a"))))).toEqual({ code: "Unavailable", progress: "not-sent" });
  });

  test("what waits for a connection that never opens was not sent, and ends with its deadline", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    proxies.push(silent);
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await using session = ownEngine.connect(address, { connectTimeoutMs: 300 });
    const notes = createClient(Notes, grpcTransport(session));
    const [first, second] = [endOf(notes.one({}, { timeoutMs: 20 })), endOf(textsOf(notes.list({})))];
    expect(await first).toMatchObject({ code: "DeadlineExceeded" });
    expect(await second).toEqual({ code: "Unavailable", progress: "not-sent" });
  });
});

describe("a server that drains", () => {
  test("calls that have begun are answered; endless streams end with UNAVAILABLE; nobody is cut off", async () => {
    const gate = Promise.withResolvers<void>();
    const begun = vi.fn();
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one: async () => {
          begun();
          await gate.promise;
          return { text: "answered" };
        },
        collect: async (requests) => {
          begun();
          return { text: (await textsOf(requests)).join() };
        },
        async *list(_, { signal }) {
          begun();
          yield { text: "a" };
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      },
    });
    const { notes, server } = pair;
    const one = notes.one({});
    const collect = notes.collect(
      (async function* () {
        yield { text: "a" };
        await gate.promise;
        yield { text: "b" };
      })(),
      { timeoutMs: 30_000 }, // a stream with a deadline is not endless
    );
    const list = endOf(textsOf(notes.list({})));
    await vi.waitFor(() => expect(begun).toHaveBeenCalledTimes(3), 5_000);
    const drained = server.drain(10_000);
    expect(await list).toMatchObject({ code: "Unavailable" });
    gate.resolve();
    expect((await one).text).toBe("answered");
    expect((await collect).text).toBe("a,b");
    expect(await drained).toBe(0);
    expect(await endOf(notes.one({}))).toEqual({ code: "Unavailable", progress: "not-sent" });
  });

  test("when its patience ends, what still runs is cut off and counted, and may have been processed", async () => {
    const begun = vi.fn();
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one: () => {
          begun();
          return never();
        },
      },
    });
    const calls = [endOf(pair.notes.one({})), endOf(pair.notes.one({}))];
    await vi.waitFor(() => expect(begun).toHaveBeenCalledTimes(2), 5_000);
    expect(await pair.server.drain(50)).toBe(2);
    for (const end of await Promise.all(calls)) expect(end).toMatchObject({ progress: "processed" });
  });

  test("calls that meet the drain are answered, or provably were not processed", async () => {
    const processed = vi.fn();
    await using pair = await openNotes({
      ...engines,
      implementation: {
        one: () => {
          processed();
          return { text: "answered" };
        },
      },
    });
    await pair.notes.one({});
    const calls = Array.from({ length: 200 }, async (_, i) => {
      for (let wait = 0; wait < i % 7; wait++) await new Promise((resolve) => setImmediate(resolve));
      return endOf(pair.notes.one({}).then(({ text }) => text));
    });
    const drained = pair.server.drain(5_000);
    const ends = await Promise.all(calls);
    expect(await drained).toBe(0);
    const answered = ends.filter((end) => end === "answered").length;
    expect(processed).toHaveBeenCalledTimes(answered + 1);
    for (const end of ends) {
      if (end !== "answered") expect(end).toMatchObject({ progress: expect.stringMatching(/^(not-sent|refused)$/) });
    }
  });
});
