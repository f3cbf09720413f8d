import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { describe, expect, test, vi } from "vitest";
import { pieceBytes, pieces, read, requestOf } from "../testing/bodies.ts";
import { pairs } from "../testing/engine-pair.ts";
import type { HttpHandler } from "./engine.ts";
import { engines } from "./engines.ts";

vi.setConfig({ testTimeout: 20_000 }); // a hundred MiB through real sockets, on a machine that may be busy

const host = "127.0.0.1";
const MiB = 1024 * 1024;

/** More than both ends and the system's sockets together may hold of one body. */
const muchBytes = 64 * MiB;

const echo: HttpHandler = async ({ body }) => ({ status: 200, body: body as AsyncIterable<Uint8Array> });

describe.each(pairs)("bodies from %s to %s", (_client, _server, { client, server }) => {
  async function open(handler: HttpHandler) {
    const listener = await server.listen({ host, port: 0, handler });
    const session = client.connect(`${host}:${listener.port}`);
    return {
      listener,
      session,
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]();
        await listener[Symbol.asyncDispose]();
      },
    };
  }

  test("12 MiB go there and back whole, and eight of them side by side", async () => {
    await using pair = await open(echo);
    const ask = async () => {
      const answer = await pair.session.request(requestOf(pair.session, { body: pieces(12 * MiB) }));
      return read(answer.body);
    };
    const sums = await Promise.all(Array.from({ length: 8 }, ask));
    const whole = await read(pieces(12 * MiB));
    for (const sum of sums) expect(sum).toEqual(whole);
  });

  test("a handler that does not read stops the client, and goes on when it reads", async () => {
    const gate = Promise.withResolvers<void>();
    const handler: HttpHandler = async ({ body }) => {
      await gate.promise;
      const { bytes } = await read(body as AsyncIterable<Uint8Array>);
      return { status: 200, header: new Headers({ "x-bytes": String(bytes) }) };
    };
    await using pair = await open(handler);
    const sent = { bytes: 0 };
    const answer = pair.session.request(requestOf(pair.session, { body: pieces(muchBytes, sent) }));
    await settles(() => sent.bytes);
    expect(sent.bytes).toBeGreaterThan(0);
    expect(sent.bytes).toBeLessThan(muchBytes / 2);
    gate.resolve();
    expect((await answer).header.get("x-bytes")).toBe(String(muchBytes));
  });

  test("a client that does not read stops the handler, and gets all of it when it reads", async () => {
    const sent = { bytes: 0 };
    await using pair = await open(async () => ({ status: 200, body: pieces(muchBytes, sent) }));
    const { body } = await pair.session.request(requestOf(pair.session));
    await settles(() => sent.bytes);
    expect(sent.bytes).toBeLessThan(muchBytes / 2);
    expect((await read(body)).bytes).toBe(muchBytes);
  });

  test("a body that nobody reads does not stop the others on its connection", async () => {
    await using pair = await open(async ({ url }) => ({
      status: 200,
      body: pieces(url.endsWith("/much") ? muchBytes : pieceBytes),
    }));
    const unread = await pair.session.request(requestOf(pair.session, { path: "/much" }));
    for (let turn = 0; turn < 20; turn++) {
      const { body } = await pair.session.request(requestOf(pair.session));
      expect((await read(body)).bytes).toBe(pieceBytes);
    }
    expect((await read(unread.body)).bytes).toBe(muchBytes);
  });

  test("answers that nobody reads, and that their callers leave, cost the connection nothing", async () => {
    await using pair = await open(async () => ({ status: 200, body: pieces(3 * pieceBytes) }));
    for (let turn = 0; turn < 60; turn++) {
      const leave = new AbortController();
      await pair.session.request(requestOf(pair.session, { signal: leave.signal }));
      if (turn % 2) await settles(() => pair.listener.inFlight);
      leave.abort();
    }
    const { body } = await pair.session.request(requestOf(pair.session));
    expect((await read(body)).bytes).toBe(3 * pieceBytes);
  });

  test("an answer may come while the request is still being sent, and both go on", async () => {
    const both: HttpHandler = async ({ body }) => ({ status: 200, body: body as AsyncIterable<Uint8Array> });
    await using pair = await open(both);
    const gate = Promise.withResolvers<void>();
    const talk = (async function* () {
      yield new Uint8Array([1]);
      await gate.promise;
      yield new Uint8Array([2]);
    })();
    const { body } = await pair.session.request(requestOf(pair.session, { body: talk }));
    const answers: number[] = [];
    for await (const piece of body) {
      answers.push(...piece);
      gate.resolve();
    }
    expect(answers).toEqual([1, 2]);
  });

  test.each(["has no body", "has a body", "has trailers"])("an early answer that %s ends the request", async (what) => {
    const early: HttpHandler = async () => ({
      status: 200,
      ...(what === "has a body" && { body: pieces(3 * pieceBytes) }),
      ...(what === "has trailers" && { trailer: new Headers({ "x-end": "1" }) }),
    });
    await using pair = await open(early);
    const sent = { bytes: 0 };
    const answer = await pair.session.request(
      requestOf(pair.session, { body: pieces(Number.POSITIVE_INFINITY, sent) }),
    );
    expect((await read(answer.body)).bytes).toBe(what === "has a body" ? 3 * pieceBytes : 0);
    if (what === "has trailers") expect(answer.trailer.get("x-end")).toBe("1");
    await vi.waitFor(() => expect(pair.listener.inFlight).toBe(0));
    await settles(() => sent.bytes);
    const after = await pair.session.request(requestOf(pair.session, { path: "/again" }));
    expect(after.status).toBe(200);
  });

  // connect-node's client does not tell the reader of a body while the other body is open, nor anybody of a reader's leave
  if (client === engines.own) {
    test.each(["quiet", "busy"])(
      "a caller that leaves ends both bodies of a %s call, and tells the handler",
      async (kind) => {
        const body = () => (kind === "busy" ? pieces(Number.POSITIVE_INFINITY) : quiet());
        const seen: UniversalServerRequest[] = [];
        const broken = Promise.withResolvers<unknown>();
        const handler: HttpHandler = async (request) => {
          seen.push(request);
          read(request.body as AsyncIterable<Uint8Array>).catch(broken.resolve);
          return { status: 200, body: body() };
        };
        await using pair = await open(handler);
        const leave = new AbortController();
        const answer = await pair.session.request(requestOf(pair.session, { body: body(), signal: leave.signal }));
        const reading = read(answer.body);
        leave.abort();
        await expect(reading).rejects.toThrow();
        await vi.waitFor(() => expect(seen[0]?.signal.aborted).toBe(true));
        expect(await broken.promise).toBeInstanceOf(Error);
        await vi.waitFor(() => expect(pair.listener.inFlight).toBe(0));
      },
    );

    test("a reader that leaves an endless answer ends it", async () => {
      const sent = { bytes: 0 };
      await using pair = await open(async () => ({ status: 200, body: pieces(Number.POSITIVE_INFINITY, sent) }));
      const { body } = await pair.session.request(requestOf(pair.session));
      for await (const _ of body) break;
      await vi.waitFor(() => expect(pair.listener.inFlight).toBe(0));
    });
  }

  test("an answer that breaks off is an error in the middle of its body", async () => {
    const breaking = async function* () {
      yield new Uint8Array(10);
      throw new Error("broken");
    };
    await using pair = await open(async () => ({ status: 200, body: breaking() }));
    const { status, body } = await pair.session.request(requestOf(pair.session));
    expect(status).toBe(200);
    await expect(read(body)).rejects.toThrow();
  });

  test("the answer to HEAD has its headers and no body", async () => {
    const header = new Headers({ "content-length": String(pieceBytes) });
    await using pair = await open(async () => ({ status: 200, header, body: pieces(pieceBytes) }));
    const answer = await pair.session.request(requestOf(pair.session, { method: "HEAD" }));
    expect(answer.header.get("content-length")).toBe(String(pieceBytes));
    expect((await read(answer.body)).bytes).toBe(0);
  });
});

/** A body that begins and says nothing more. */
async function* quiet() {
  yield new Uint8Array(1);
  await new Promise(() => {});
}

/** Resolves when the number has not changed for a while: all that may leave has left. */
async function settles(current: () => number): Promise<void> {
  for (let same = 0, last = Number.NaN; same < 5; same = current() === last ? same + 1 : 0) {
    last = current();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}
