import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import type { HttpRuleSchema } from "../../../gen/google/api/http_pb.ts";
import type { HttpBodySchema } from "../../../gen/google/api/httpbody_pb.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import { transcoder } from "../transcoder.ts";

type Rule = MessageInitShape<typeof HttpRuleSchema>;
type Body = MessageInitShape<typeof HttpBodySchema>;

const raw = "google.api.HttpBody";
const get = (value: string, more: Rule = {}): Rule => ({ pattern: { case: "get", value }, ...more });
const post = (value: string, body: string): Rule => ({ pattern: { case: "post", value }, body });

const service: DescService = scratchService(
  { name: "Upload", rule: post("/v1/uploads/{name}", "file") },
  { name: "Whole", rule: post("/v1/whole", "*"), input: raw },
  { name: "Queried", rule: get("/v1/queried") },
  { name: "Download", rule: get("/v1/downloads/{name}"), output: raw },
  { name: "Part", rule: get("/v1/parts/{name}", { responseBody: "file" }) },
  {
    name: "Made",
    rule: post("/v1/made", "*"),
    output: raw,
    policy: { created: { location: "/v1/kept/{content_type}" } },
  },
  { name: "Sent", rule: post("/v1/sent/{name}", "file"), clientStreaming: true },
  { name: "SentWhole", rule: post("/v1/sent-whole", "*"), input: raw, clientStreaming: true },
  { name: "Stream", rule: get("/v1/streams/{name}"), output: raw, serverStreaming: true },
);

let seen: unknown;
let file: Body = {};
beforeEach(() => {
  seen = undefined;
  file = { contentType: "text/plain; charset=utf-8", data: Buffer.from("0123456789") };
});

const transport = createRouterTransport((router) => {
  const echo = (request: unknown) => {
    seen = request;
    return {};
  };
  const gathered = async (requests: AsyncIterable<unknown>) => {
    const all: unknown[] = [];
    for await (const request of requests) all.push(request);
    seen = all;
    return { smallInt: all.length };
  };
  router.service(service, {
    upload: echo,
    whole: echo,
    queried: echo,
    download(_: unknown, { responseHeader }: HandlerContext) {
      responseHeader.set("etag", '"v1"');
      responseHeader.set("content-disposition", "attachment");
      return file;
    },
    part: ({ name }: { name: string }) => (name === "none" ? {} : { file }),
    made: () => file,
    sent: gathered,
    sentWhole: gathered,
    async *stream({ name }: { name: string }) {
      if (name === "missing") throw new ConnectError("no such file", Code.NotFound);
      if (name === "empty") return;
      yield { contentType: "image/png", data: Buffer.from("ab") };
      yield { contentType: "", data: new Uint8Array() };
      if (name === "broken") throw new ConnectError("the disk is gone", Code.DataLoss);
      yield { contentType: "ignored/here", data: Buffer.from("cd") };
    },
  } as never);
});
const rest = transcoder({ services: [service], transport, maxBodyBytes: 100 });

async function ask(line: string, call: RestCall = {}) {
  const [method = "", url = ""] = line.split(" ");
  const answer = await rest(restRequest(method, url, call));
  if (answer === undefined) throw new Error(`no route for ${line}`);
  return readAnswer(answer);
}

test("a body that a HttpBody field takes arrives as it was sent, with its type, beside path and query", async () => {
  const bytes = Uint8Array.of(0, 255, 10, 13);
  const answer = await ask("POST /v1/uploads/a.png?flag=true", {
    body: bytes,
    header: { "content-type": "image/png" },
  });
  expect(answer.status, answer.text).toBe(200);
  expect(seen).toMatchObject({ name: "a.png", flag: true, file: { contentType: "image/png" } });
  expect(Buffer.from((seen as { file: { data: Uint8Array } }).file.data)).toEqual(Buffer.from(bytes));
});

test("a body that is JSON is bytes like any other to a HttpBody", async () => {
  await ask("POST /v1/whole", { body: '{"a":1,"a":2', header: { "content-type": "application/json" } });
  expect(seen).toMatchObject({ contentType: "application/json", data: new Uint8Array(Buffer.from('{"a":1,"a":2')) });
});

test("no body is a HttpBody of no bytes", async () => {
  expect((await ask("POST /v1/uploads/x")).status).toBe(200);
  expect(seen).toMatchObject({ file: { contentType: "", data: new Uint8Array() } });
});

const refusedUploads: readonly (readonly [
  why: string,
  line: string,
  call: RestCall,
  status: number,
  message: string,
])[] = [
  ["over the limit", "POST /v1/uploads/x", { body: "x".repeat(101) }, 413, "the body is over 100 bytes"],
  ["announced as over the limit", "POST /v1/uploads/x", { header: { "content-length": "101" } }, 413, "over 100 bytes"],
  [
    "packed in a way that is not known",
    "POST /v1/uploads/x",
    { body: "x", header: { "content-encoding": "compress" } },
    415,
    "Content-Encoding compress",
  ],
  ["in the query too", "POST /v1/uploads/x?file.data=eA==", { body: "x" }, 400, "file.data: is given by the body"],
  ["all there is to say", "POST /v1/whole?content_type=a/b", { body: "x" }, 400, "this method reads its body alone"],
];

test.each(refusedUploads)("an upload is refused when it is %s", async (_, line, call, status, message) => {
  const answer = await ask(line, call);
  expect(answer.status).toBe(status);
  expect(answer.json).toMatchObject({ message: expect.stringContaining(message) });
  expect(seen).toBeUndefined();
});

test("a HttpBody that no body rule names comes from the query, as any message", async () => {
  await ask("GET /v1/queried?file.content_type=a/b&file.data=eA==");
  expect(seen).toMatchObject({ file: { contentType: "a/b", data: new Uint8Array([120]) } });
});

test.each(["/v1/downloads/x", "/v1/parts/x", "/api/downloads/x"])(
  "%s is answered with bytes and their type",
  async (path) => {
    const answer = await ask(`GET ${path}`);
    expect([answer.status, answer.text]).toEqual([200, "0123456789"]);
    expect(answer.header.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.header.get("content-length")).toBe("10");
    expect(answer.header.get("accept-ranges")).toBe("bytes");
  },
);

test("headers of the call stand beside the bytes", async () => {
  const { header } = await ask("GET /v1/downloads/x");
  expect([header.get("etag"), header.get("content-disposition")]).toEqual(['"v1"', "attachment"]);
});

test.each(["", " ", "text/html\r\nset-cookie: a=b", "bad\0"])(
  "a type %j says nothing of the bytes",
  async (contentType) => {
    file = { contentType, data: Buffer.from("x") };
    const { status, header } = await ask("GET /v1/downloads/x");
    expect([status, header.get("content-type"), header.get("set-cookie")]).toEqual([
      200,
      "application/octet-stream",
      null,
    ]);
  },
);

test("a response_body that holds no HttpBody is an answer of no bytes", async () => {
  const answer = await ask("GET /v1/parts/none");
  expect([answer.status, answer.text, answer.header.get("content-length")]).toEqual([200, "", "0"]);
});

test("Range gets a part, and says of what", async () => {
  const answer = await ask("GET /v1/downloads/x", { header: { range: "bytes=2-4" } });
  expect([answer.status, answer.text]).toEqual([206, "234"]);
  expect(answer.header.get("content-range")).toBe("bytes 2-4/10");
  expect(answer.header.get("content-length")).toBe("3");
  expect((await ask("GET /v1/parts/x", { header: { range: "bytes=-2" } })).text).toBe("89");
});

test("Range of what is not there is 416, with the length of what is", async () => {
  const answer = await ask("GET /v1/downloads/x", { header: { range: "bytes=10-" } });
  expect([answer.status, answer.header.get("content-range")]).toEqual([416, "bytes */10"]);
  expect(answer.json).toMatchObject({ code: 11, message: "Range: the body has 10 bytes, none of them is asked for" });
});

const whole: readonly (readonly [why: string, header: Readonly<Record<string, string>>])[] = [
  ["several ranges", { range: "bytes=0-1,3-4" }],
  ["other units", { range: "lines=0-1" }],
  ["another version", { range: "bytes=0-1", "if-range": '"v0"' }],
];

test.each(whole)("all of it is the answer to %s", async (_, header) => {
  expect(await ask("GET /v1/downloads/x", { header })).toMatchObject({ status: 200, text: "0123456789" });
});

test("a part of the same version is answered to If-Range", async () => {
  const header = { range: "bytes=0-1", "if-range": '"v1"' };
  expect(await ask("GET /v1/downloads/x", { header })).toMatchObject({ status: 206, text: "01" });
});

test("HEAD tells type and length, and pays no attention to Range", async () => {
  const answer = await ask("HEAD /v1/downloads/x", { header: { range: "bytes=0-1" } });
  expect([answer.status, answer.text, answer.header.get("content-length")]).toEqual([200, "", "10"]);
});

test("what a POST makes is answered with 201 and all its bytes", async () => {
  const answer = await ask("POST /v1/made", { body: {}, header: { range: "bytes=0-1" } });
  expect([answer.status, answer.text]).toEqual([201, "0123456789"]);
});

test("an error of a method that answers bytes is told as any error", async () => {
  const answer = await ask("GET /v1/downloads/x?nope=1");
  expect([answer.status, answer.header.get("content-type")]).toEqual([400, "application/json"]);
});

test("a stream of HttpBody is its bytes in a row, under the type of the first", async () => {
  const answer = await ask("GET /v1/streams/x", { header: { range: "bytes=0-1" } });
  expect([answer.status, answer.text, answer.header.get("content-type")]).toEqual([200, "abcd", "image/png"]);
  const streamed = await rest(restRequest("GET", "/v1/streams/x"));
  const sizes: number[] = [];
  for await (const piece of streamed?.body ?? []) sizes.push(piece.length);
  expect(sizes, "a piece of nothing would end a chunked body").toEqual([2, 2]);
  expect((await ask("GET /v1/streams/empty")).text).toBe("");
  expect(await ask("HEAD /v1/streams/x")).toMatchObject({ status: 200, text: "" });
});

test("a stream that fails before its first byte is an error, and one that fails later breaks off", async () => {
  expect(await ask("GET /v1/streams/missing")).toMatchObject({ status: 404, json: { message: "no such file" } });
  await expect(ask("GET /v1/streams/broken")).rejects.toThrow("the disk is gone");
});

test("a stream of HttpBody takes a body of any size piece by piece, the first with type, path and query", async () => {
  const header = { "content-type": "video/mp4" };
  const answer = await ask("POST /v1/sent/a?flag=true", { body: "x".repeat(1_000), header });
  expect(answer).toMatchObject({ status: 200, json: { smallInt: 2 } });
  const [first, second] = seen as readonly { file: { data: Uint8Array } }[];
  expect(first).toMatchObject({ name: "a", flag: true, file: { contentType: "video/mp4" } });
  expect(second).toMatchObject({ name: "", flag: false, file: { contentType: "" } });
  expect([first?.file.data.length, second?.file.data.length]).toEqual([500, 500]);
});

test("a stream of HttpBody alone is the pieces themselves, and no body is one message without bytes", async () => {
  await ask("POST /v1/sent-whole", { body: "abcd", header: { "content-type": "a/b" } });
  expect(seen).toMatchObject([{ contentType: "a/b" }, { contentType: "" }]);
  await ask("POST /v1/sent/a");
  expect(seen).toMatchObject([{ name: "a", file: { data: new Uint8Array() } }]);
});

test("an upload that is wrong by its path or query calls nobody", async () => {
  expect((await ask("POST /v1/sent/a?nope=1", { body: "x" })).status).toBe(400);
  expect((await ask("POST /v1/sent/a", { body: "x", header: { "content-encoding": "br" } })).status).toBe(415);
  expect(seen).toBeUndefined();
});
