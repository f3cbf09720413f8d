import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { restRequest } from "../../testing/rest-caller.ts";
import { readJsonBody } from "./body.ts";

const maxBytes = 10_000;
const text = Buffer.from('{"name":"Ada"}');

const read = (body: Uint8Array, encoding: string) =>
  readJsonBody(restRequest("POST", "/", { body, header: { "content-encoding": encoding } }), maxBytes);

test.each([
  ["gzip", gzipSync(text)],
  ["X-GZIP", gzipSync(text)],
  ["br", brotliCompressSync(text)],
  ["zstd", zstdCompressSync(text)],
  ["deflate", deflateSync(text)],
  ["identity", text],
  ["gzip, zstd", zstdCompressSync(gzipSync(text))],
])("a body in %s is read", async (encoding, body) => {
  expect(await read(body, encoding)).toEqual({ name: "Ada" });
});

const bomb = Buffer.from(`"${"a".repeat(10 * maxBytes)}"`);

test.each([
  ["gzip", gzipSync(bomb)],
  ["br", brotliCompressSync(bomb)],
  ["zstd", zstdCompressSync(bomb)],
  ["gzip, gzip", gzipSync(gzipSync(bomb))],
])("a small body in %s that would be a large one is 413, and says how large one may be", async (encoding, body) => {
  expect(body.length).toBeLessThan(maxBytes);
  await expect(read(body, encoding)).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining("10000 bytes"),
  });
});

test("an encoding that nobody reads is 415, and the answer says which are read", async () => {
  const header = { "accept-encoding": "gzip, br, zstd, deflate" };
  await expect(read(text, "compress")).rejects.toMatchObject({
    status: 415,
    message: expect.stringMatching(/compress.*gzip/),
    header,
  });
  await expect(read(text, "gzip, gzip, gzip")).rejects.toMatchObject({ status: 415, header });
});

test.each(["gzip", "br", "zstd"])("a body that is said to be in %s and is not is 400", async (encoding) => {
  await expect(read(text, encoding)).rejects.toThrow(`Content-Encoding says ${encoding}`);
  await expect(read(gzipSync(text).subarray(0, 20), encoding)).rejects.toThrow("or not whole");
});
