import { create } from "@bufbuild/protobuf";
import { BytesValueSchema, StringValueSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { acceptedEncodings } from "./compressions.ts";
import { compressed, compressionNamed, decode, decompressed, encode, maxMessageBytes, whole } from "./messages.ts";

function thrown(fn: () => unknown): ConnectError {
  try {
    fn();
  } catch (reason) {
    return ConnectError.from(reason);
  }
  throw new Error("it did not throw");
}

test("a message is taken as it is, what a message is made from becomes one", () => {
  const message = create(StringValueSchema, { value: "a" });
  expect(whole(StringValueSchema, message)).toBe(message);
  expect(whole(StringValueSchema, { value: "a" })).toEqual(message);
  expect(whole(StringValueSchema, {})).toEqual(create(StringValueSchema));
});

test("what is encoded is decoded again; no bytes are a message with nothing set", () => {
  const message = create(StringValueSchema, { value: "ä" });
  expect(decode(StringValueSchema, encode(StringValueSchema, message, maxMessageBytes))).toEqual(message);
  expect(decode(StringValueSchema, new Uint8Array())).toEqual(create(StringValueSchema));
});

test("a message of as many bytes as may be sent is sent, one byte more is RESOURCE_EXHAUSTED", () => {
  const message = create(BytesValueSchema, { value: new Uint8Array(97) }); // and 2 of tag and length
  expect(encode(BytesValueSchema, message, 99)).toHaveLength(99);
  const error = thrown(() => encode(BytesValueSchema, message, 98));
  expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: "a message of 99 bytes; 98 may be sent" });
});

test("what cannot be encoded or decoded is INTERNAL, and says which type it was", () => {
  const wrong = create(TimestampSchema, { nanos: 1.5 });
  expect(thrown(() => encode(TimestampSchema, wrong, 100))).toMatchObject({
    code: Code.Internal,
    rawMessage: expect.stringContaining("cannot encode google.protobuf.Timestamp"),
  });
  expect(thrown(() => decode(TimestampSchema, new Uint8Array([0xff])))).toMatchObject({
    code: Code.Internal,
    rawMessage: expect.stringContaining("cannot decode google.protobuf.Timestamp"),
  });
});

test("a message is compressed where that is asked for and it is not tiny", async () => {
  const [tiny, large] = [new Uint8Array(1_023), new Uint8Array(1_024)];
  expect(compressed(large, undefined)).toEqual({ bytes: large, isCompressed: false });
  expect(compressed(tiny, compressionGzip)).toEqual({ bytes: tiny, isCompressed: false });
  const made = await compressed(large, compressionGzip);
  expect(made.isCompressed).toBe(true);
  expect(Buffer.compare(await decompressed(made.bytes, compressionGzip, 1_024), large)).toBe(0);
});

test("a message that says it is compressed, where nothing said how, is INTERNAL", async () => {
  await expect(decompressed(new Uint8Array(3), undefined, 10)).rejects.toMatchObject({ code: Code.Internal });
});

test("a decompression that fails and that nobody waits for takes nothing down", async () => {
  void decompressed(new Uint8Array(3), undefined, 10);
  void decompressed(new Uint8Array([1, 2, 3]), compressionGzip, 10);
  await new Promise((resolve) => setTimeout(resolve, 50)); // an unhandled rejection would fail this file
});

test("an encoding goes by its name; one not known is UNIMPLEMENTED, and told which are", () => {
  expect(["gzip", "br", "zstd"].map((name) => compressionNamed(name)?.name)).toEqual(["gzip", "br", "zstd"]);
  expect([undefined, "identity"].map(compressionNamed)).toEqual([undefined, undefined]);
  const error = thrown(() => compressionNamed("zipper"));
  expect(error.code).toBe(Code.Unimplemented);
  expect(error.metadata.get("grpc-accept-encoding")).toBe(acceptedEncodings);
});
