import { randomBytes } from "node:crypto";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { once } from "../../rest/response/answer.ts";
import { restRequest } from "../../testing/rest-caller.ts";
import { withCompression } from "./compression.ts";

const long = JSON.stringify({ users: Array.from({ length: 100 }, (_, id) => ({ id, name: `Ada ${id}` })) });
const undo = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync } as const;

function answerOf(text: string, header: Record<string, string> = {}, status = 200): UniversalServerResponse {
  const own = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
  return { status, header: new Headers({ ...own, ...header }), body: once(Buffer.from(text)) };
}

async function ask(answer: UniversalServerResponse, accepted?: string) {
  const header = accepted === undefined ? {} : { "accept-encoding": accepted };
  const { header: told = new Headers(), body } = await withCompression(async () => answer)(
    restRequest("GET", "/", { header }),
  );
  const pieces: Uint8Array[] = [];
  for await (const piece of body ?? []) pieces.push(piece);
  return { header: told, bytes: Buffer.concat(pieces), encoding: told.get("content-encoding") };
}

test.each(["gzip", "br", "zstd"] as const)(
  "who accepts %s gets the same in less, with its true length",
  async (name) => {
    const { header, bytes, encoding } = await ask(answerOf(long), name);
    expect(encoding).toBe(name);
    expect(undo[name](bytes).toString()).toBe(long);
    expect(bytes.length).toBeLessThan(long.length / 3);
    expect([header.get("content-length"), header.get("vary")]).toEqual([String(bytes.length), "Accept-Encoding"]);
  },
);

test.each([
  ["gzip, deflate, br, zstd", "zstd"],
  ["gzip, deflate, br", "br"],
  ["gzip;q=1.0, br;q=0.5", "gzip"],
  ["gzip;q=0, br;q=0.001", "br"],
  ["zstd;q=0, *", "br"],
  ["*", "zstd"],
  ["GZIP", "gzip"],
  ["identity", null],
  ["identity, gzip;q=0.5", null],
  ["gzip;q=0", null],
  ["deflate, compress", null],
  ["", null],
])("of %j the encoding is %j", async (accepted, chosen) => {
  expect((await ask(answerOf(long), accepted)).encoding).toBe(chosen);
});

test("who says nothing gets the answer as it is, and caches are told that others may not", async () => {
  const { header, bytes, encoding } = await ask(answerOf(long, { vary: "Origin" }));
  expect([bytes.toString(), encoding, header.get("vary")]).toEqual([long, null, "Origin, Accept-Encoding"]);
});

test.each([
  ["short", answerOf(`"${"a".repeat(1_021)}"`)],
  ["a picture", answerOf(long, { "content-type": "image/png" })],
  ["no-transform", answerOf(long, { "cache-control": "max-age=2, no-transform" })],
  ["a part", answerOf(long, { "content-range": "bytes 0-9/100" }, 206)],
])("what is %s leaves as it is, for everybody", async (_, answer) => {
  const { header, encoding } = await ask(answer, "gzip, br");
  expect([encoding, header.has("vary")]).toEqual([null, false]);
});

test("1 KiB is long enough", async () => {
  expect((await ask(answerOf(`"${"a".repeat(1_022)}"`), "gzip")).encoding).toBe("gzip");
});

test("what would only grow leaves as it is", async () => {
  const noise = randomBytes(2_048);
  const header = new Headers({ "content-type": "application/wasm", "content-length": "2048" });
  const { bytes, encoding, header: told } = await ask({ status: 200, header, body: once(noise) }, "gzip");
  expect([encoding, told.get("content-length"), bytes.equals(noise)]).toEqual([null, "2048", true]);
});

test("what is compressed already is not compressed again", async () => {
  const { bytes, encoding } = await ask(answerOf(long, { "content-encoding": "br" }), "gzip");
  expect([encoding, bytes.toString()]).toEqual(["br", long]);
});

test("a stream is not held back", async () => {
  const header = new Headers({ "content-type": "application/x-ndjson" });
  const { encoding, bytes } = await ask({ status: 200, header, body: once(Buffer.from(long)) }, "gzip");
  expect([encoding, bytes.toString()]).toEqual([null, long]);
});

test("a strong tag is weak once the bytes are others, and parts are offered no more", async () => {
  const { header } = await ask(answerOf(long, { etag: '"v7"', "accept-ranges": "bytes" }), "gzip");
  expect([header.get("etag"), header.has("accept-ranges")]).toEqual(['W/"v7"', false]);
});

test("a 304 says what the answer depends on as the answer would", async () => {
  const { header } = await ask({ status: 304, header: new Headers({ etag: 'W/"a"' }) }, "gzip");
  expect(header.get("vary")).toBe("Accept-Encoding");
});
