import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createClient, encodeBinaryHeader, type Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { openTestServer } from "../../testing/open-server.ts";
import { grpcTransport } from "../../wire/grpc.ts";
import { ownEngine } from "../../wire/own.ts";
import { EchoService, echo, reason, stopped } from "./peers-echo.ts";
import { openGrpcJs } from "./peers-grpc-js.ts";

type Opened = AsyncDisposable & { readonly transport: Transport };
const mebibyte = 1024 * 1024;
const longest = { timeoutMs: 60_000 };

/** A client of connect-node, to a server of ours. */
const toOurs = (make: (baseUrl: string) => Transport) => async (): Promise<Opened> => {
  const server = await openTestServer([[EchoService, echo]], { engine: ownEngine });
  const transport = make(`http://${server.address}`);
  return { transport, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
};

/** A client of ours, to whoever listens. */
const fromOurs = (open: () => Promise<AsyncDisposable & { readonly address: string }>) => async (): Promise<Opened> => {
  const server = await open();
  const session = ownEngine.connect(server.address);
  return {
    transport: grpcTransport(session),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
};

async function openConnectNode() {
  const server = createServer(connectNodeAdapter({ routes: (router) => void router.service(EchoService, echo) }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, [Symbol.asyncDispose]: async () => void server.close() };
}

const peers = {
  "connect-node's gRPC client and our server": toOurs((baseUrl) => createGrpcTransport({ baseUrl })),
  "connect-node's gRPC-Web client and our server": toOurs((baseUrl) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  ),
  "connect-node's Connect client and our server": toOurs((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "2" }),
  ),
  "our client and our server": fromOurs(() => openTestServer([[EchoService, echo]], { engine: ownEngine })),
  "our client and a connect-node server": fromOurs(openConnectNode),
  "our client and a grpc-js server": fromOurs(openGrpcJs),
};

describe.for(Object.entries(peers))("%s", ([, open]) => {
  test("understand each other in a unary call, with plain, repeated and binary metadata both ways", async () => {
    await using peer = await open();
    const headers = new Headers({ plain: "one" });
    headers.append("plain", "two");
    headers.append("binary-bin", encodeBinaryHeader(new Uint8Array([0, 255, 128])));
    headers.append("binary-bin", encodeBinaryHeader(new Uint8Array([7])));
    const seen: Record<string, string> = {};
    const note = (got: Headers) => {
      for (const [name, value] of got) seen[name] = value.replaceAll("=", "");
    };
    const { unary } = createClient(EchoService, peer.transport);
    const answer = await unary({ text: "ünï" }, { headers, onHeader: note, onTrailer: note });
    expect(answer.text).toBe("ünï");
    for (const where of ["head", "tail"]) {
      expect(seen[`${where}-plain`]).toBe("one, two");
      expect(seen[`${where}-binary-bin`]?.split(/, ?/)).toEqual(["AP+A", "Bw"]);
    }
  });

  test.for([0, 1, 64 * 1024, mebibyte])("carry %i bytes there and back", async (size) => {
    await using peer = await open();
    const data = Buffer.alloc(size, "heddle");
    const { unary } = createClient(EchoService, peer.transport);
    expect(Buffer.from((await unary({ data }, longest)).data).equals(data)).toBe(true);
  });

  test("carry 16 MiB in a stream each way, and both ways at once", async () => {
    await using peer = await open();
    const client = createClient(EchoService, peer.transport);
    const data = Buffer.alloc(mebibyte, 1);
    const sixteen = async function* () {
      for (let i = 0; i < 16; i++) yield { data };
    };
    expect(await client.collect(sixteen(), longest)).toMatchObject({ count: 16 * mebibyte, text: "16" });
    for (const call of [() => client.serve({ data, count: 16 }, longest), () => client.talk(sixteen(), longest)]) {
      let bytes = 0;
      for await (const message of call()) bytes += message.data.length;
      expect(bytes).toBe(16 * mebibyte);
    }
  });

  test("take turns on one stream, and each may end it first", async () => {
    await using peer = await open();
    const { talk } = createClient(EchoService, peer.transport);
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
      for await (const { text } of talk(say(texts), longest)) {
        heard.push(text);
        turn.next.resolve();
      }
      expect(heard).toEqual(texts.filter((text) => text !== "never sent"));
    }
  });

  test("understand errors and their details, before and after messages", async () => {
    await using peer = await open();
    const client = createClient(EchoService, peer.transport);
    const first = await client.unary({ text: "fail" }).catch(ConnectError.from);
    const received: number[] = [];
    const later = (async () => {
      for await (const { count } of client.serve({ text: "fail", count: 3 })) received.push(count);
    })().catch(ConnectError.from);
    for (const error of [first, await later] as ConnectError[]) {
      expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "no thing 7: ünï"]);
      expect(error.findDetails(ErrorInfoSchema)).toEqual([expect.objectContaining(reason)]);
    }
    expect(received).toEqual([0, 1, 2]);
  });

  test("stop when a caller leaves or its time is up, and the server is told", async () => {
    await using peer = await open();
    const client = createClient(EchoService, peer.transport);
    const before = stopped.count;
    const late = await client.unary({ text: "wait" }, { timeoutMs: 300 }).catch(ConnectError.from);
    expect((late as ConnectError).code).toBe(Code.DeadlineExceeded);
    const leave = new AbortController();
    const left = (async () => {
      for await (const _ of client.serve({ text: "wait", count: 1 }, { signal: leave.signal })) leave.abort();
    })().catch(ConnectError.from);
    expect(((await left) as ConnectError).code).toBe(Code.Canceled);
    await expect.poll(() => stopped.count - before, { timeout: 5_000 }).toBe(2);
    expect((await client.unary({ text: "still there" })).text).toBe("still there");
  });

  test("carry a hundred calls at once", async () => {
    await using peer = await open();
    const { unary } = createClient(EchoService, peer.transport);
    const calls = Array.from({ length: 100 }, (_, count) => unary({ count, data: Buffer.alloc(10_000) }));
    expect((await Promise.all(calls)).map(({ count }) => count)).toEqual([...Array(100).keys()]);
  });
});
