import { gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { grpcHead, openAttacker, prefixed, type RawAnswer } from "../testing/attacker.ts";
import { frame } from "../testing/http2-frames.ts";
import type { TestServer } from "../testing/open-server.ts";
import { openVictim, withstands } from "../testing/victim.ts";

const path = "/shop.user.v1.UserService/GetUser";
const message = Buffer.from([8, 7]); // id: 7
const bodyBytes = 16_000;

let server: TestServer;
beforeAll(async () => {
  server = await openVictim();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Sends one request as bytes, and returns its answer; another request on the same connection is answered after it. */
async function ask(body: Uint8Array, ...fields: readonly string[]): Promise<RawAnswer> {
  await using attacker = await openAttacker(server.port);
  return await withstands(server, async () => {
    await attacker.send(grpcHead(1, path, ...fields));
    for (let at = 0; at < body.length || at === 0; at += bodyBytes) {
      const isLast = at + bodyBytes >= body.length;
      const piece = body.subarray(at, at + bodyBytes);
      await attacker.send(frame(FrameType.data, isLast ? Flag.endStream : 0, 1, piece));
    }
    await expect.poll(() => attacker.answer(1).ended, { timeout: 10_000 }).toBeDefined();
    await attacker.send(grpcHead(3, path), frame(FrameType.data, Flag.endStream, 3, prefixed(message)));
    await expect.poll(() => attacker.answer(3).fields.get("grpc-status"), { timeout: 10_000 }).toBe("0");
    return attacker.answer(1);
  });
}

const statusOf = ({ fields }: RawAnswer) => Number(fields.get("grpc-status"));

test("a compressed bomb is RESOURCE_EXHAUSTED, and not inflated", async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
  expect(bomb.length).toBeLessThan(200_000);
  const answer = await ask(prefixed(bomb, { flags: 1 }), "grpc-encoding", "gzip");
  expect(statusOf(answer)).toBe(Code.ResourceExhausted);
});

test("a message that says it is larger than what is taken is RESOURCE_EXHAUSTED, before it comes", async () => {
  const answer = await ask(prefixed(message, { length: 2 ** 32 - 1 }));
  expect(statusOf(answer)).toBe(Code.ResourceExhausted);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a prefix that is cut off", prefixed(message).subarray(0, 3)],
  ["a prefix that promises more than comes", prefixed(message, { length: 100 })],
  ["a prefix that promises less than comes", prefixed(message, { length: 1 })],
  ["two messages", Buffer.concat([prefixed(message), prefixed(message)])],
  ["a message that says it is compressed, and nobody said how", prefixed(gzipSync(message), { flags: 1 })],
  ["a message that cannot be read", prefixed(Buffer.from([0xff, 0xff, 0xff]))],
])("a unary request of %s is answered with an error", async (_name, body) => {
  const answer = await ask(body);
  expect(answer.ended).toBe("end");
  expect([Code.InvalidArgument, Code.Unimplemented, Code.Internal]).toContain(statusOf(answer));
});

test("compression that does not inflate is an error", async () => {
  const answer = await ask(prefixed(Buffer.from("no gzip"), { flags: 1 }), "grpc-encoding", "gzip");
  expect([Code.InvalidArgument, Code.Internal]).toContain(statusOf(answer));
});

test("compression that nobody here knows is UNIMPLEMENTED", async () => {
  const answer = await ask(prefixed(message, { flags: 1 }), "grpc-encoding", "zipper");
  expect(statusOf(answer)).toBe(Code.Unimplemented);
});

test.each(["", "1", "S", "-1S", "1.5S", "999999999S", "1 S", "1s", "9".repeat(8_000)])(
  "grpc-timeout: %.20s is refused, or passed over, and never waited for",
  async (timeout) => {
    const answer = await ask(prefixed(message), "grpc-timeout", timeout);
    expect([0, Code.InvalidArgument, Code.Internal, Code.DeadlineExceeded]).toContain(statusOf(answer));
  },
);

test.each(["!", "A", "====", "AAA\u00ff", "a".repeat(9_001)])(
  "base64 such as %.10s in -bin reaches nobody",
  async (value) => {
    const answer = await ask(prefixed(message), "made-up-bin", value);
    expect([0, Code.InvalidArgument, Code.Internal]).toContain(statusOf(answer));
  },
);
