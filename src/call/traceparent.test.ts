import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { newTraceparent, traceIdOf } from "./traceparent.ts";

test("a new trace has ids of its own each time, and the same ones for the same dice", () => {
  const random = seededRandom(1);
  const made = Array.from({ length: 1_000 }, () => newTraceparent(random));
  expect(new Set(made.map(traceIdOf)).size).toBe(1_000);
  expect(new Set(made.map((one) => one.slice(36, 52))).size).toBe(1_000);
  for (const one of made) expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const again = seededRandom(1);
  expect(Array.from({ length: 1_000 }, () => newTraceparent(again))).toEqual(made);
});

test("each digit of the ids may be any, save that none is all zeros", () => {
  const random = seededRandom(2);
  const made = Array.from({ length: 1_000 }, () => newTraceparent(random));
  const seenAt = (at: number) => new Set(made.map((one) => one[at])).size;
  const ids = [...Array.from({ length: 32 }, (_, i) => i + 3), ...Array.from({ length: 16 }, (_, i) => i + 36)];
  const lowest = [34, 51]; // odd, for an id of nothing but zeros is none
  expect(ids.filter((at) => seenAt(at) !== (lowest.includes(at) ? 8 : 16))).toEqual([]);
  expect(newTraceparent(() => 0)).toBe(`00-${"1".padStart(32, "0")}-${"1".padStart(16, "0")}-01`);
});

test("the trace id is read from what a caller brought, of later versions too, and not from what is none", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  expect(traceIdOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
  expect(traceIdOf(`cc-${id}-b7ad6b7169203331-01-more`)).toBe(id);
  const none = [undefined, "", "00", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, `00-${id}-${"0".repeat(16)}-01`];
  for (const one of [...none, `00-${id.toUpperCase()}-b7ad6b7169203331-01`]) expect(traceIdOf(one)).toBeUndefined();
});
