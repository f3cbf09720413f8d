import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { once } from "../../rest/response/answer.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { withETag } from "./etag.ts";

function answerOf(text: string, header: Record<string, string> = {}, status = 200): UniversalServerResponse {
  const own = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
  return { status, header: new Headers({ ...own, ...header }), body: once(Buffer.from(text)) };
}

async function ask(answer: UniversalServerResponse, shown?: string, method = "GET") {
  const header = shown === undefined ? {} : { "if-none-match": shown };
  return readAnswer(await withETag(async () => answer)(restRequest(method, "/", { header })));
}

const tagOf = async (text: string) => (await ask(answerOf(text))).header.get("etag") ?? "";

test("equal bytes have equal tags, other bytes have others, and the body is whole", async () => {
  expect(await tagOf('{"a":1}')).toMatch(/^W\/"[\w-]{27}"$/);
  expect(await tagOf('{"a":1}')).toBe(await tagOf('{"a":1}'));
  expect(await tagOf('{"a":1}')).not.toBe(await tagOf('{"a":2}'));
  expect((await ask(answerOf('{"a":1}'))).text).toBe('{"a":1}');
});

test("a body that comes in pieces is tagged whole", async () => {
  const inPieces = async function* () {
    for (const piece of ['{"a"', ":1", "}"]) yield Buffer.from(piece);
  };
  const { header, text } = await ask({ ...answerOf('{"a":1}'), body: inPieces() });
  expect([header.get("etag"), text]).toEqual([await tagOf('{"a":1}'), '{"a":1}']);
});

test("one who has the answer is told so without it, with all that tells how to keep it", async () => {
  const tag = await tagOf("{}");
  const kept = { "cache-control": "max-age=2, public", vary: "Origin", location: "/v1/users/1", expires: "never" };
  const shown = [tag, `"x", ${tag}`, tag.slice(2), `"a,b",${tag} , W/"y"`, "*"];
  for (const one of shown) {
    const { status, header, text } = await ask(answerOf("{}", kept), one);
    expect([one, status, text]).toEqual([one, 304, ""]);
    expect(Object.fromEntries(header)).toEqual({ ...kept, etag: tag });
  }
});

test("tags of something else do not stop the answer", async () => {
  for (const shown of ['"x"', "", "nonsense", 'W/"', (await tagOf("{}")).replaceAll('"', "")]) {
    expect(await ask(answerOf("{}"), shown)).toMatchObject({ status: 200, text: "{}" });
  }
});

test("the tag that an answer brings is kept, and compared weakly", async () => {
  const own = () => answerOf("{}", { etag: '"v7"' });
  expect((await ask(own())).header.get("etag")).toBe('"v7"');
  expect((await ask(own(), 'W/"v7"')).status).toBe(304);
  expect((await ask(own(), '"v8"')).status).toBe(200);
});

test("nothing but a whole answer to a GET that went well has a tag", async () => {
  const streamed = { status: 200, header: new Headers({ "content-type": "application/x-ndjson" }), body: once(utf8) };
  expect((await ask(streamed, "*")).header.has("etag")).toBe(false);
  expect(await ask(answerOf("{}", {}, 404), "*")).toMatchObject({ status: 404, text: "{}" });
  expect((await ask(answerOf("{}", {}, 201))).header.has("etag")).toBe(false);
  expect((await ask(answerOf("{}"), "*", "POST")).header.has("etag")).toBe(false);
});

const utf8 = Buffer.from("{}\n");

test("a browser is told that what one user may keep is not another's", async () => {
  const { header } = await ask(answerOf("{}", { "cache-control": "max-age=2, private", vary: "Origin" }));
  expect(header.get("vary")).toBe("Origin, Authorization");
});
