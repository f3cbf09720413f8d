import {
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient,
  decodeBinaryHeader,
  encodeBinaryHeader,
} from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.ts";
import { eventually } from "../../../testing/eventually.ts";
import { EchoService, failureText, reason } from "./contract.ts";
import { digest, digestOf, mebibyte, many as mostPieces, pieces } from "./pieces.ts";
import { ways } from "./ways.ts";

const longest = { timeoutMs: 60_000 };

describe.for(ways)("%s", ([name, open]) => {
  let peer: Awaited<ReturnType<typeof open>>;
  let client: Client<typeof EchoService>;
  beforeAll(async () => {
    peer = await open();
    client = createClient(EchoService, peer.transport);
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());

  const calls: Record<string, (options: CallOptions) => Promise<unknown>> = {
    unary: (options) => client.unary({ text: "ünï" }, options),
    serve: (options) => all(client.serve({ count: 2 }, options)),
    collect: (options) => client.collect(said("a", "b"), options),
    talk: (options) => all(client.talk(said("a", "b"), options)),
  };

  test.for(Object.entries(calls))("plain, repeated and binary metadata go both ways in `%s`", async ([, call]) => {
    const headers = new Headers({ plain: "one" });
    headers.append("plain", "two");
    headers.append("binary-bin", encodeBinaryHeader(new Uint8Array([0, 255, 128])));
    headers.append("binary-bin", encodeBinaryHeader(new Uint8Array([7])));
    const seen: Record<string, string> = {};
    const note = (got: Headers) => {
      for (const [name, value] of got) seen[name] = value.replaceAll("=", "");
    };
    await call({ headers, onHeader: note, onTrailer: note });
    for (const where of ["head", "tail"]) {
      expect(seen[`${where}-plain`]).toBe("one, two");
      expect(seen[`${where}-binary-bin`]?.split(/, ?/)).toEqual(["AP+A", "Bw"]);
    }
  });

  test("nothing, a byte, 64 KiB and 1 MiB go there and back", async () => {
    for (const size of [0, 1, 64 * 1024, mebibyte]) {
      const data = Buffer.alloc(size, "heddle");
      expect(Buffer.from((await client.unary({ data }, longest)).data).equals(data), String(size)).toBe(true);
    }
    expect(await all(client.serve({ count: 0 }))).toEqual([]);
  });

  // Our own wire carries 64 MiB everywhere; 16 of them have to do for the other engine, which Node answers for.
  const many = name.includes("(own") ? mostPieces : 16;
  const farAhead = mostPieces / 2;
  const wholeDigest = digestOf(many);

  test(`${many} MiB go each way byte for byte, and neither end runs far ahead of the other`, async () => {
    const sent = { count: 0 };
    const collecting = client.collect(pieces(many, sent, { text: "hold" }), longest);
    await settled(() => sent.count);
    expect(sent.count).toBeLessThan(farAhead);
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    collecting.then(end, end);
    await eventually("the server comes to its gate, and reads", async () => {
      await client.unary({ text: "release" });
      return isOver;
    });
    expect(await collecting).toMatchObject({ count: many * mebibyte, text: `${many} ${wholeDigest}` });

    const sum = digest();
    for await (const { data, count } of client.serve({ text: "pieces", count: many }, longest)) {
      if (count === 0) {
        const pulled = await settled(async () => (await client.unary({ text: "pulled" })).count);
        expect(pulled).toBeLessThan(farAhead);
      }
      sum.add(data);
    }
    expect(sum.hex()).toBe(wholeDigest);
  });

  test("16 MiB go both ways at once", async () => {
    const sum = digest();
    for await (const { data } of client.talk(pieces(16), longest)) sum.add(data);
    expect(sum.hex()).toBe(digestOf(16));
  });

  test("both ends take turns on one stream, and each may end it first", async () => {
    const turn = { next: Promise.withResolvers<void>() };
    const say = async function* (texts: readonly string[]) {
      for (const text of texts) {
        yield { text };
        await turn.next.promise;
        turn.next = Promise.withResolvers();
      }
    };
    for (const texts of [
      ["a", "b", "c"],
      ["a", "last", "never sent"],
    ]) {
      const heard: string[] = [];
      turn.next = Promise.withResolvers();
      for await (const { text } of client.talk(say(texts), longest)) {
        heard.push(text);
        turn.next.resolve();
      }
      expect(heard).toEqual(texts.filter((text) => text !== "never sent"));
    }
  });

  test("a server goes on after its caller has ended, and answers one that has not", async () => {
    const after = client.talk(one({ text: "after", count: 3 }), longest);
    expect((await all(after)).map(({ count }) => count)).toEqual([3, 0, 1, 2]);
    const endless = async function* () {
      yield { text: "last" };
      await new Promise(() => {}); // more might come, and never does
    };
    expect((await client.collect(endless(), longest)).text).toMatch(/^1 /);
  });

  test("errors come whole, before and after messages: code, text, details, metadata", async () => {
    const first = await client.unary({ text: "fail" }).catch(ConnectError.from);
    const received: number[] = [];
    const later = (async () => {
      for await (const { count } of client.serve({ text: "fail", count: 3 })) received.push(count);
    })().catch(ConnectError.from);
    for (const error of [first, await later] as ConnectError[]) {
      expect([error.code, error.rawMessage]).toEqual([Code.NotFound, failureText]);
      expect(error.findDetails(ErrorInfoSchema)).toEqual([expect.objectContaining(reason)]);
      expect(error.metadata.get("why")).toBe("gone");
      expect([...decodeBinaryHeader(error.metadata.get("why-bin") ?? "")]).toEqual([0, 255, 128]);
    }
    expect(received).toEqual([0, 1, 2]);
  });

  test("a server knows its caller's deadline, and hears of its end and of a caller that leaves", async () => {
    const left = (await client.unary({ text: "left" }, longest)).count;
    expect(left).toBeGreaterThan(30_000);
    expect(left).toBeLessThanOrEqual(60_000);
    const stopped = async () => (await client.unary({ text: "stopped" })).count;
    const before = await stopped();
    const late = [
      client.unary({ text: "wait" }, { timeoutMs: 300 }),
      all(client.serve({ text: "wait", count: 1 }, { timeoutMs: 300 })),
    ].map((call) => call.catch(ConnectError.from));
    // Both ends keep the time: grpc-go says CANCEL when its clock is first.
    const codes = name.includes("grpc-go") ? [Code.DeadlineExceeded, Code.Canceled] : [Code.DeadlineExceeded];
    for (const error of await Promise.all(late)) expect(codes).toContain((error as ConnectError).code);
    const leave = new AbortController();
    const gone = (async () => {
      for await (const _ of client.serve({ text: "wait", count: 1 }, { signal: leave.signal })) leave.abort();
    })().catch(ConnectError.from);
    expect(((await gone) as ConnectError).code).toBe(Code.Canceled);
    await eventually("three calls were told to stop", async () => (await stopped()) - before === 3);
  });

  test("a hundred calls go at once", async () => {
    const each = Array.from({ length: 100 }, (_, count) => client.unary({ count, data: Buffer.alloc(10_000) }));
    expect((await Promise.all(each)).map(({ count }) => count)).toEqual([...Array(100).keys()]);
  });
});

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const heard: T[] = [];
  for await (const message of messages) heard.push(message);
  return heard;
}

async function* said(...texts: readonly string[]) {
  for (const text of texts) yield { text };
}

async function* one<T>(message: T) {
  yield message;
}

/** What `count` tells once it has stopped growing. */
async function settled(count: () => number | Promise<number>): Promise<number> {
  let [last, same] = [-1, 0];
  while (same < 4) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = await count();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
