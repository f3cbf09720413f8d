import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBuffer } from "./retry-buffer.ts";

const mebibyte = 1_048_576;

test("a request of up to 1 MiB is kept; a larger one is sent once, in words that name both sizes", () => {
  const buffer = new RetryBuffer();
  expect(buffer.hold(mebibyte)).toBe(true);
  expect(buffer.hold(mebibyte + 1)).toBe(false);
  expect(buffer.why(2.3 * mebibyte)).toBe(
    "the request of 2.3 MiB is sent once: no more than 1 MiB are kept for a repeat",
  );
});

test("all calls together keep up to 16 MiB, and what is freed can be held again", () => {
  const buffer = new RetryBuffer();
  for (let call = 0; call < 16; call++) expect(buffer.hold(mebibyte)).toBe(true);
  expect(buffer.hold(1)).toBe(false);
  expect(buffer.why(1)).toBe("the request is sent once: 16 MiB of other calls are kept for a repeat already");
  expect(buffer.hold(0)).toBe(true);
  buffer.free(mebibyte);
  expect(buffer.hold(mebibyte)).toBe(true);
});

test("whatever calls do, what is held is what was held and not freed, within the limit", () => {
  const act = fc.oneof(fc.nat(40), fc.constant("free" as const));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const buffer = new RetryBuffer({ callBytes: 30, channelBytes: 100 });
      const held: number[] = [];
      for (const taken of acts) {
        if (taken === "free") buffer.free(held.pop() ?? 0);
        else if (buffer.hold(taken)) held.push(taken);
        const sum = held.reduce((bytes, more) => bytes + more, 0);
        expect(buffer.heldBytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(100);
        expect(Math.max(0, ...held)).toBeLessThanOrEqual(30);
      }
    }),
  );
});
