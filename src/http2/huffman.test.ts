import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "./huffman.ts";

function encode(text: string): Buffer {
  const target = Buffer.alloc(text.length * 4 + 4);
  return target.subarray(0, huffmanEncode(text, target, 0));
}
const decode = (hex: string) => {
  const bytes = Buffer.from(hex, "hex");
  return huffmanDecode(bytes, 0, bytes.length);
};

test("the RFC's own strings encode and decode as it says", () => {
  for (const [text, hex] of [
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["custom-value", "25a849e95bb8e8b4bf"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
    ["foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
     "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"], // biome-ignore format: pairs
  ] as const) {
    expect(encode(text).toString("hex")).toBe(hex);
    expect(decode(hex)).toBe(text);
  }
});

test("every octet, and any text, comes back as it went and is as long as foretold", () => {
  const random = seededRandom(1);
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  const texts = [all, ...all, ...Array.from({ length: 500 }, () => anyText(random() * 60, () => random() * 256))];
  for (const text of texts) {
    const bytes = encode(text);
    expect(huffmanDecode(bytes, 0, bytes.length)).toBe(text);
    expect(bytes.length).toBe(huffmanLength(text));
  }
});

test("padding of eight bits or more, padding with zeros, and the end-of-string code are refused", () => {
  expect(decode("07")).toBe("0");
  expect(() => decode("07ff")).toThrow("COMPRESSION_ERROR"); // a whole byte of padding
  expect(() => decode("00")).toThrow("COMPRESSION_ERROR"); // '0', then three zero bits
  expect(() => decode("ffffffff")).toThrow("COMPRESSION_ERROR"); // EOS
  expect(() => decode("fffffffc")).toThrow("COMPRESSION_ERROR");
});

function anyText(length: number, code: () => number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(code());
  return text;
}
