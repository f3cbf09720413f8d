import { connect, type IncomingHttpHeaders } from "node:http2";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, credentials, Metadata, makeClientConstructor, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceDefinitionOf } from "../../interop/grpc-js.ts";
import { prefixed } from "../../testing/attacker.ts";
import { openTestServer, type TestServer } from "../../testing/open-server.ts";
import { ownEngine } from "../../wire/own.ts";
import { type Echo, EchoService, echo, echoSchema, stopped } from "./peers-echo.ts";
import { run } from "./peers-run.ts";

const mebibyte = 1024 * 1024;
const path = "/peers.v1.EchoService/Unary";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer([[EchoService, echo]], { engine: ownEngine });
});
afterAll(() => server?.[Symbol.asyncDispose]());

describe("grpc-js", () => {
  const paths = serviceDefinitionOf(EchoService);
  type Kind = keyof typeof paths;
  let client: Client;
  beforeAll(() => {
    const made = makeClientConstructor(paths as never, "echo");
    client = new made(server.address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  });
  afterAll(() => client?.close());
  const of = (kind: Kind) =>
    [paths[kind].path, paths[kind].requestSerialize as never, paths[kind].responseDeserialize] as const;

  function unary(message: object, metadata = new Metadata(), options = {}) {
    const [at, write, read] = of("unary");
    const told: { head?: Metadata; tail?: Metadata } = {};
    return new Promise<{ value: Echo } & typeof told>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        at,
        write,
        read as never,
        message as Echo,
        metadata,
        options,
        (error, value) => (error ? reject(error) : setImmediate(() => resolve({ value: value as Echo, ...told }))),
      );
      call.on("metadata", (head) => Object.assign(told, { head }));
      call.on("status", ({ metadata: tail }) => Object.assign(told, { tail }));
    });
  }

  test("carries plain, repeated and binary metadata both ways", async () => {
    const metadata = new Metadata();
    for (const value of ["one", "two"]) metadata.add("plain", value);
    for (const value of [[0, 255, 128], [7]]) metadata.add("binary-bin", Buffer.from(value));
    const { value, head, tail } = await unary({ text: "hi" }, metadata);
    expect(value.text).toBe("hi");
    expect(head?.get("head-plain").join(", ")).toBe("one, two");
    expect(tail?.get("tail-plain").join(", ")).toBe("one, two");
    for (const got of [head?.get("head-binary-bin"), tail?.get("tail-binary-bin")]) {
      expect(got).toEqual([Buffer.from([0, 255, 128]), Buffer.from([7])]);
    }
  });

  test("carries 1 MiB, and 16 MiB each way in streams", async () => {
    const data = Buffer.alloc(mebibyte, 1);
    expect((await unary({ data })).value.data.length).toBe(mebibyte);
    const collected = await new Promise<Echo>((resolve, reject) => {
      const [at, write, read] = of("collect");
      const call = client.makeClientStreamRequest(
        at,
        write,
        read as never,
        (error: ServiceError | null, value?: Echo) => (error ? reject(error) : resolve(value as Echo)),
      );
      for (let i = 0; i < 16; i++) call.write(create(echoSchema, { data }));
      call.end();
    });
    expect(collected.count).toBe(16 * mebibyte);
    const talk = client.makeBidiStreamRequest(...of("talk"));
    for (let i = 0; i < 16; i++) talk.write({ data } as never);
    talk.end();
    for (const stream of [client.makeServerStreamRequest(...of("serve"), { data, count: 16 } as never), talk]) {
      let bytes = 0;
      for await (const message of stream) bytes += (message as Echo).data.length;
      expect(bytes).toBe(16 * mebibyte);
    }
  });

  test("understands errors, deadlines, cancelling, and a server that ends first", async () => {
    const missing = (await unary({ text: "fail" }).catch((error) => error)) as ServiceError;
    expect(missing.code).toBe(status.NOT_FOUND);
    expect(decodeURIComponent(missing.details)).toBe("no thing 7: ünï"); // grpc-js leaves "%3A" as Connect wrote it
    expect(missing.metadata.get("grpc-status-details-bin")).toHaveLength(1);
    const before = stopped.count;
    const late = unary({ text: "wait" }, new Metadata(), { deadline: Date.now() + 300 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    const waiting = client.makeServerStreamRequest(...of("serve"), { text: "wait", count: 1 } as never);
    const left = (async () => {
      for await (const _ of waiting) waiting.cancel();
    })();
    await expect(left).rejects.toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => stopped.count - before).toBe(2);
    const talk = client.makeBidiStreamRequest(...of("talk"));
    talk.write({ text: "last" } as never);
    const heard: string[] = [];
    for await (const message of talk) heard.push((message as Echo).text);
    expect(heard).toEqual(["last"]);
  });
});

describe("node:http2", () => {
  /** A gRPC call by hand: what came, and how. */
  function call(body: Uint8Array | undefined, more: IncomingHttpHeaders = {}) {
    const session = connect(`http://${server.address}`);
    const grpc = { "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ":method": "POST", ":path": path, ...grpc, ...more });
    const got = { head: {}, trailers: {}, bytes: 0, isTrailersOnly: false, resetCode: 0 };
    stream.on("response", (head, flags) => Object.assign(got, { head, isTrailersOnly: (flags & 1) === 1 }));
    stream.on("trailers", (trailers) => Object.assign(got, { trailers }));
    stream.on("data", (chunk: Buffer) => {
      got.bytes += chunk.length;
    });
    stream.on("error", () => {});
    if (body !== undefined) stream.end(body);
    return new Promise<typeof got>((resolve) => {
      stream.on("close", () => {
        session.destroy();
        resolve({ ...got, resetCode: stream.rstCode ?? 0 });
      });
    });
  }
  const message = (text: string, data = Buffer.alloc(0)) =>
    prefixed(toBinary(echoSchema, create(echoSchema, { text, data })));

  test("is answered with head, body and trailers", async () => {
    const answer = await call(message("hi", Buffer.alloc(mebibyte)));
    expect(answer).toMatchObject({ head: { ":status": 200 }, trailers: { "grpc-status": "0" }, resetCode: 0 });
    expect(answer.bytes).toBeGreaterThan(mebibyte);
  });

  test("is answered with trailers only where nothing but an error is said", async () => {
    const answer = await call(message("fail"));
    expect(answer).toMatchObject({ head: { "grpc-status": "5" }, bytes: 0, isTrailersOnly: true });
  });

  test("is answered on a request that it never ends", async () => {
    const answer = await call(undefined, { ":path": "/peers.v1.EchoService/Nothing" } as IncomingHttpHeaders);
    expect(answer).toMatchObject({ head: { "grpc-status": "12" } });
  });
});

test("curl speaks Connect, REST's 404 and large bodies over HTTP/2", async () => {
  const curl = (...args: string[]) => run("curl", ["-sS", "--http2-prior-knowledge", "--max-time", "30", ...args]);
  const json = ["-H", "content-type: application/json", "-w", "\n%{http_version} %{http_code}"];
  const url = `http://${server.address}${path}`;
  const said = await curl(...json, "-d", '{"text": "hi"}', url);
  expect(said, "curl has to be installed, with HTTP/2").toMatchObject({ code: 0, stderr: "" });
  expect(said.stdout).toBe('{"text":"hi"}\n2 200');
  const missing = await curl(...json, "-d", '{"text": "fail"}', url);
  expect(missing.stdout).toMatch(/"code":"not_found"[\s\S]*THING|"code":"not_found"[\s\S]*\n2 404$/);
  expect((await curl(...json, `http://${server.address}/nothing`)).stdout).toMatch(/\n2 404$/);
  const large = JSON.stringify({ data: Buffer.alloc(mebibyte).toString("base64") });
  const echoed = await run("curl", ["-sS", "--http2-prior-knowledge", ...json, "-d", "@-", url], large);
  expect(echoed.stdout.length).toBeGreaterThan(mebibyte);
  expect(echoed.stdout).toMatch(/\n2 200$/);
  const upgraded = await run("curl", ["-sS", "--http2", ...json, "-d", "{}", url]); // h2c upgrade: passed over
  expect(upgraded.stdout).toMatch(/\n1\.1 200$/);
});

test("Python's grpcio, the C core, understands it all", async () => {
  const python = process.env.HEDDLE_TEST_PYTHON;
  if (!python) throw new Error("no Python with grpcio: run this by `make test-integration`, or set HEDDLE_TEST_PYTHON");
  const { stdout, stderr } = await run(python, [join(import.meta.dirname, "peers-python.py"), server.address]);
  const binary = (where: string) => [
    [`${where}-binary-bin`, "00ff80"],
    [`${where}-binary-bin`, "07"],
  ];
  expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({
    text: true,
    head: expect.arrayContaining(binary("head")),
    tail: expect.arrayContaining(binary("tail")),
    mebibyte: true,
    collect: true,
    serve: 16,
    talk: 16,
    "ended first": 2,
    error: "NOT_FOUND",
    "late error": "NOT_FOUND",
    trailers: expect.arrayContaining(["grpc-status-details-bin"]),
    deadline: "DEADLINE_EXCEEDED",
    cancel: "CANCELLED",
    unknown: "UNIMPLEMENTED",
  });
});
