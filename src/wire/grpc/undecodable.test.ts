import { gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Flag, FrameType } from "../../http2/frame.ts";
import { grpcHead, openAttacker, prefixed } from "../../testing/attacker.ts";
import { frame, word } from "../../testing/http2-frames.ts";
import { openVictim } from "../../testing/victim.ts";

const path = "/shop.user.v1.UserService/GetUser";
const gzip = ["grpc-encoding", "gzip"];
const compressed = (bytes: Uint8Array) => prefixed(bytes, { flags: 1 });
const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
const end = frame(FrameType.data, Flag.endStream, 1);

const time = () => new Promise((resolve) => setTimeout(resolve, 40)); // for a decompression to fail; a rejection that nobody handles fails this file

test.each<[what: string, body: Uint8Array, code: Code[], fields: readonly string[]]>([
  ["no gzip at all", compressed(Buffer.from("no gzip")), [Code.InvalidArgument], gzip],
  ["a bomb", compressed(bomb), [Code.ResourceExhausted], gzip],
  ["a compressed message of no compression", compressed(gzipSync("")), [Code.Internal], []],
  ["gzip of what is no message", compressed(gzipSync(Buffer.from([0xff, 0xff]))), [Code.InvalidArgument], gzip],
  ["what is no message", prefixed(Buffer.from([0xff, 0xff])), [Code.InvalidArgument], []],
  [
    "two messages",
    Buffer.concat([compressed(Buffer.from("a")), compressed(Buffer.from("b"))]),
    [Code.Unimplemented],
    gzip,
  ],
])("%s is the caller's error, whenever the request ends", async (_, body, codes, fields) => {
  await using server = await openVictim();
  await using attacker = await openAttacker(server.port);
  await attacker.send(grpcHead(1, path, ...fields), frame(FrameType.data, 0, 1, body));
  await time();
  await attacker.send(end);
  await expect.poll(() => attacker.answer(1).fields.get("grpc-status")).toBeDefined();
  expect(codes).toContain(Number(attacker.answer(1).fields.get("grpc-status")));
});

test("a request that never becomes whole, or is reset, and does not decompress is nobody's error", async () => {
  await using server = await openVictim();
  await using attacker = await openAttacker(server.port);
  for (const id of [1, 3]) {
    await attacker.send(grpcHead(id, path, ...gzip), frame(FrameType.data, 0, id, compressed(Buffer.from("no gzip"))));
  }
  await attacker.send(frame(FrameType.rstStream, 0, 3, word(8)));
  await time();
  await attacker.send(grpcHead(5, path), frame(FrameType.data, Flag.endStream, 5, prefixed(Buffer.from([8, 7]))));
  await expect.poll(() => attacker.answer(5).fields.get("grpc-status")).toBe("0");
});
