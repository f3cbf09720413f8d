import { connect, type IncomingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, credentials, Metadata, makeClientConstructor, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceDefinitionOf } from "../../../interop/grpc-js.ts";
import { prefixed } from "../../../testing/attacker.ts";
import { eventually } from "../../../testing/eventually.ts";
import { all, digestOfBody } from "./bodies.ts";
import { type Echo, EchoService, echoSchema, failureText } from "./contract.ts";
import { digestOf, many, mebibyte, piece } from "./pieces.ts";
import { openOurs, places } from "./places.ts";

/** As many as come from our server: grpc-js has everything compressed, and there is no way to tell it not to. */
const few = 16;
const whole = `${many} ${digestOf(many)}`;
const paths = serviceDefinitionOf(EchoService);
const path = "/peers.v1.EchoService/Unary";

describe.for(places)("our server (%s) and grpc-js", ([, place]) => {
  let server: Awaited<ReturnType<typeof openOurs>>;
  let client: Client;
  beforeAll(async () => {
    server = await openOurs(place);
    const secured = place.tls ? credentials.createSsl(Buffer.from(place.tls.cert)) : credentials.createInsecure();
    client = new (makeClientConstructor(paths as never, "echo"))(server.address, secured, {
      "grpc.max_receive_message_length": -1,
      "grpc.default_compression_algorithm": 0,
    });
  });
  afterAll(async () => {
    client?.close();
    await server?.[Symbol.asyncDispose]();
  });
  const of = (kind: keyof typeof paths) =>
    [paths[kind].path, paths[kind].requestSerialize as never, paths[kind].responseDeserialize as never] as const;

  function unary(message: object, metadata = new Metadata(), options = {}) {
    const told: { head?: Metadata; tail?: Metadata } = {};
    return new Promise<{ value: Echo } & typeof told>((resolve, reject) => {
      const answered = (error: ServiceError | null, value?: Echo) =>
        error ? reject(error) : setImmediate(() => resolve({ value: value as Echo, ...told }));
      const call = client.makeUnaryRequest(...of("unary"), message as Echo, metadata, options, answered);
      call.on("metadata", (head) => Object.assign(told, { head }));
      call.on("status", ({ metadata: tail }) => Object.assign(told, { tail }));
    });
  }
  const asked = async (text: string) => (await unary({ text })).value.count;

  test("carry plain, repeated and binary metadata both ways", async () => {
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

  test("carry 1 MiB, 64 MiB to our server and 16 MiB from it in streams", async () => {
    const { value } = await unary({ data: piece(1) });
    expect(piece(1).equals(value.data)).toBe(true);
    const collected = await new Promise<Echo>((resolve, reject) => {
      const call = client.makeClientStreamRequest<object, Echo>(...of("collect"), (error, value) =>
        error ? reject(error) : resolve(value as Echo),
      );
      for (let i = 0; i < many; i++) call.write({ data: piece(i) });
      call.end();
    });
    expect(collected.text).toBe(whole);
    const served = client.makeServerStreamRequest<object, Echo>(...of("serve"), { text: "pieces", count: few });
    const datas = (async function* () {
      for await (const { data } of served) yield data as Uint8Array;
    })();
    expect(await digestOfBody(datas)).toBe(`${few * mebibyte} ${digestOf(few)}`);
  });

  test("understand errors whole: code, text, details, metadata", async () => {
    const missing = (await unary({ text: "fail" }).catch((error) => error)) as ServiceError;
    expect(missing.code).toBe(status.NOT_FOUND);
    expect(decodeURIComponent(missing.details)).toBe(failureText); // grpc-js leaves "%3A" as Connect wrote it
    expect(missing.metadata.get("grpc-status-details-bin")).toHaveLength(1);
    expect(missing.metadata.get("why")).toEqual(["gone"]);
    expect(missing.metadata.get("why-bin")).toEqual([Buffer.from([0, 255, 128])]);
  });

  test("stop at deadlines and when a caller leaves", async () => {
    const before = await asked("stopped");
    const late = unary({ text: "wait" }, new Metadata(), { deadline: Date.now() + 300 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    const waiting = client.makeServerStreamRequest(...of("serve"), { text: "wait", count: 1 });
    const left = (async () => {
      for await (const _ of waiting) waiting.cancel();
    })();
    await expect(left).rejects.toMatchObject({ code: status.CANCELLED });
    await eventually("both were told to stop", async () => (await asked("stopped")) - before === 2);
  });

  test("may each end a stream first", async () => {
    for (const [message, heard] of [
      [{ text: "last" }, 1],
      [{ text: "after", count: 3 }, 4],
    ] as const) {
      const talk = client.makeBidiStreamRequest<object, Echo>(...of("talk"));
      talk.write(message);
      if (message.text === "after") talk.end();
      const messages: Echo[] = [];
      for await (const each of talk) messages.push(each as Echo);
      expect(messages).toHaveLength(heard);
    }
  });
});

describe.for(places)("our server (%s) and node:http2", ([, place]) => {
  let server: Awaited<ReturnType<typeof openOurs>>;
  beforeAll(async () => {
    server = await openOurs(place);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  const opened = () => connect(server.baseUrl, place.tls ? { ca: place.tls.cert } : {});

  /** A gRPC call by hand: what came, and how. */
  function call(body: Uint8Array | undefined, more: IncomingHttpHeaders & { ":path"?: string } = {}) {
    const session = opened();
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

  test("answer with head, body and trailers", async () => {
    const answer = await call(message("hi", Buffer.alloc(mebibyte)));
    expect(answer).toMatchObject({ head: { ":status": 200 }, trailers: { "grpc-status": "0" }, resetCode: 0 });
    expect(answer.bytes).toBeGreaterThan(mebibyte);
  });

  test("answer with trailers only where nothing but an error is said", async () => {
    const answer = await call(message("fail"));
    const said = { "grpc-status": "5", why: "gone", "why-bin": "AP+A" };
    expect(answer).toMatchObject({ head: said, bytes: 0, isTrailersOnly: true });
  });

  test("answer a request that never ends, and one whose time is up", async () => {
    const unknown = await call(undefined, { ":path": "/peers.v1.EchoService/Nothing" });
    expect(unknown).toMatchObject({ head: { "grpc-status": "12" } });
    const late = await call(message("wait"), { "grpc-timeout": "200m" });
    expect(late).toMatchObject({ head: { "grpc-status": "4" }, isTrailersOnly: true });
  });

  test("carry 64 MiB in one body: there, from there, and there and back", async () => {
    for (const at of ["/digest", "/pieces", "/back"]) {
      const session = opened();
      const stream = session.request({ ":method": "POST", ":path": at });
      const sending = at === "/pieces" ? stream.end() : sendAll(stream);
      const got = at === "/digest" ? String(await stream.toArray()) : await digestOfBody(stream);
      await sending;
      expect(got, at).toBe(`${many * mebibyte} ${digestOf(many)}`);
      session.destroy();
    }
  });
});

async function sendAll(stream: NodeJS.WritableStream): Promise<void> {
  for await (const data of all()) {
    if (!stream.write(data)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  stream.end();
}
