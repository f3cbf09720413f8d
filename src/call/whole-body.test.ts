import { expect, test } from "vitest";
import { gather, WholeBody } from "./whole-body.ts";

const utf8 = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

test.each(["", "plain", "Grüße, 世界"])("a body of text has the text's bytes: %j", async (text) => {
  const body = new WholeBody(text);
  expect(utf8(body.bytes)).toBe(text);
  expect(body.sizeBytes).toBe(Buffer.byteLength(text));
  expect(utf8(await gather(body, 100))).toBe(text);
  const streamed: Uint8Array[] = [];
  for await (const piece of body) streamed.push(piece);
  expect(utf8(Buffer.concat(streamed))).toBe(text);
});

test("text is handed out as such only where its characters are its bytes", () => {
  expect(new WholeBody("plain").ascii).toBe("plain");
  expect(new WholeBody("Grüße").ascii).toBeUndefined();
  expect(new WholeBody(Buffer.from("plain")).ascii).toBeUndefined();
});

test("a body is gathered up to its limit and no further", async () => {
  expect(utf8(await gather(pieces("12", "34"), 4))).toBe("1234");
  expect(await gather(pieces("12", "345"), 4)).toBeUndefined();
  expect(await gather(new WholeBody("12345"), 4)).toBeUndefined();
  let left = false;
  async function* endless() {
    try {
      for (;;) yield Buffer.from("12");
    } finally {
      left = true;
    }
  }
  expect(await gather(endless(), 4)).toBeUndefined();
  expect(left).toBe(true);
});
