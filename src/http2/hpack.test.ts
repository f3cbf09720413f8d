import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder, integer } from "./hpack-encoder.ts";
import { staticNames, staticValues } from "./hpack-table.ts";
import { Output } from "./output.ts";

const limits = { headerListBytes: 65_536, headerCount: 200 };
const bytesOf = (hex: string) => Buffer.from(hex.replace(/\s/g, ""), "hex");
const decodeHex = (decoder: HpackDecoder, hex: string) => {
  const bytes = bytesOf(hex);
  return decoder.decode(bytes, 0, bytes.length);
};
/** An encoder and a decoder that hear of each other only by bytes. */
function ends() {
  const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder(limits)];
  const output = new Output(() => {});
  const encode = (fields: readonly string[], more?: readonly string[]) => {
    encoder.encode(fields, more, output);
    return output.take() ?? Buffer.alloc(0);
  };
  const pass = (fields: readonly string[], more?: readonly string[]) => {
    const bytes = encode(fields, more);
    return decoder.decode(bytes, 0, bytes.length);
  };
  return { encoder, decoder, encode, pass };
}

const get = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
const last = [":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"];
const moved = [
  "cache-control",
  "private",
  "date",
  "Mon, 21 Oct 2013 20:13:21 GMT",
  "location",
  "https://www.example.com",
];
const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const ok = [
  ...[":status", "200", "cache-control", "private", "date", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ...["location", "https://www.example.com", "content-encoding", "gzip", "set-cookie", cookie],
];

test("single fields of RFC 7541 C.2 are read", () => {
  for (const [hex, fields] of [
    ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", ["custom-key", "custom-header"]],
    ["040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
    ["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"]],
    ["82", [":method", "GET"]],
  ] as const) {
    expect(decodeHex(new HpackDecoder(limits), hex)).toEqual(fields);
  }
});

test.each([
  [
    "C.3, without Huffman",
    [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
  ],
  [
    "C.4, with Huffman",
    [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
  ],
])("the requests of RFC 7541 %s are read one after the other", (_name, blocks) => {
  const decoder = new HpackDecoder(limits);
  expect(blocks.map((hex) => decodeHex(decoder, hex))).toEqual([
    ...[get, [...get, "cache-control", "no-cache"], [...last, "custom-key", "custom-value"]],
  ]);
});

test.each([
  [
    "C.5, without Huffman",
    [
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ],
  ],
  [
    "C.6, with Huffman",
    [
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
  ],
])("the responses of RFC 7541 %s are read with a table of 256 bytes, from which some fall out", (_name, blocks) => {
  const decoder = new HpackDecoder(limits);
  decodeHex(decoder, "3fe101");
  expect(blocks.map((hex) => decodeHex(decoder, hex))).toEqual([
    ...[[":status", "302", ...moved], [":status", "307", ...moved], ok],
  ]);
  expect(decodeHex(decoder, "be bf c0")).toEqual(ok.slice(-2).concat(ok.slice(-4, -2), ok.slice(4, 6)));
  expect(() => decodeHex(decoder, "c1")).toThrow("COMPRESSION_ERROR");
});

test("integers are written as RFC 7541 C.1 says", () => {
  const bytes = Buffer.alloc(8);
  expect(bytes.subarray(0, integer(bytes, 0, 0, 5, 10)).toString("hex")).toBe("0a");
  expect(bytes.subarray(0, integer(bytes, 0, 0, 5, 1_337)).toString("hex")).toBe("1f9a0a");
  expect(bytes.subarray(0, integer(bytes, 0, 0, 8, 42)).toString("hex")).toBe("2a");
});

test("whatever lists are sent, the other end reads the same", () => {
  const random = seededRandom(3);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const { encoder, decoder, pass } = ends();
  const names = ["a", "x-long-name-of-a-header", "content-type", "cookie", "grpc-timeout", ":path", ":status", "etag"];
  const values = ["", "0", "application/grpc", "é\xff", "v".repeat(900), "w".repeat(3_000), "200", "/"];
  const lists = Array.from({ length: 20 }, () => Object.freeze(some(6)));
  for (let round = 0; round < 3_000; round++) {
    if (random() < 0.01) {
      const size = pick([0, 100, 1_000, 4_096, 65_536]);
      encoder.allow(size);
      decoder.allow(Math.min(size, 4_096));
    }
    const fields = random() < 0.5 ? pick(lists) : some(5);
    const more = random() < 0.5 ? some(3) : undefined;
    expect(pass(fields, more)).toEqual([...fields, ...(more ?? [])]);
  }
  function some(count: number): string[] {
    const size = Math.floor(random() * count);
    return Array.from({ length: size }, () => [pick(names), random() < 0.5 ? pick(values) : String(random())]).flat();
  }
});

test("a frozen list is short from the second time on, and one that changes pushes nothing out", () => {
  const { encode } = ends();
  const fields = Object.freeze([":method", "POST", ":path", "/shop.user.v1.UserService/GetUser", "te", "trailers"]);
  expect(encode(fields).length).toBeGreaterThan(30);
  for (let i = 0; i < 500; i++) encode([], ["grpc-timeout", `${i}m`, "traceparent", `00-${i}`]);
  expect(encode(fields).length).toBe(3);
});

test("a field that comes again enters the table, a sensitive one never", () => {
  const { encode } = ends();
  const size = () => encode(["x-tenant", "acme"]).length;
  expect([size(), size(), size()]).toEqual([15, 12, 1]);
  const secret = encode(Object.freeze(["authorization", "Bearer abc"]));
  expect(secret[0]).toBe(0x1f); // never indexed, name 23
  expect(encode(Object.freeze(["authorization", "Bearer abc"]))).toEqual(secret);
});

test("the static table is the RFC's at its ends", () => {
  expect(staticNames.length).toBe(62);
  expect([staticNames[1], staticNames[16], staticValues[16], staticNames[61]]).toEqual([
    ...[":authority", "accept-encoding", "gzip, deflate", "www-authenticate"],
  ]);
});

test.each([
  ["index 0", "80"],
  ["an index beyond the table", "ff00"],
  ["a name beyond the table", "7f0000"],
  ["an integer that does not end", "ffffffffffff"],
  ["an integer that is cut off", "ff"],
  ["a string that is longer than the block", "000a61"],
  ["a field without its value", "000161"],
  ["a table larger than allowed", "3fe21f"],
  ["a table size in the middle", "8220"],
])("%s breaks the connection", (_name, hex) => {
  expect(() => decodeHex(new HpackDecoder(limits), hex)).toThrow("COMPRESSION_ERROR");
});

test("a smaller table that was acknowledged must be kept to in the next block", () => {
  const decoder = new HpackDecoder(limits);
  decoder.allow(100);
  expect(() => decodeHex(decoder, "82")).toThrow("COMPRESSION_ERROR");
  expect(decodeHex(decoder, "3f4582")).toEqual([":method", "GET"]);
  expect(decodeHex(decoder, "82")).toEqual([":method", "GET"]);
});

test("a list past a limit is read to its end and not kept, so that the tables still agree", () => {
  const decoder = new HpackDecoder({ headerListBytes: 200, headerCount: 200 });
  const bomb = `400161 3f${"62".repeat(63)} ${"be".repeat(1_000)} 400163 0164`;
  const fields = decodeHex(decoder, bomb);
  expect(fields.length).toBeLessThanOrEqual(4);
  expect(decoder.overflowed).toBe("headerListBytes");
  expect(decodeHex(decoder, "be")).toEqual(["c", "d"]);
  expect(decoder.overflowed).toBeUndefined();
});
