import { expect, test } from "vitest";
import { byteRange, rangeApplies } from "./range.ts";

const ranges: readonly (readonly [header: string, length: number, part: string])[] = [
  ["bytes=0-4", 10, "0-4"],
  ["bytes=5-", 10, "5-9"],
  ["bytes=-3", 10, "7-9"],
  ["bytes=0-0", 10, "0-0"],
  ["bytes=9-9", 10, "9-9"],
  ["bytes=5-100", 10, "5-9"],
  ["bytes=-100", 10, "0-9"],
  ["Bytes = 2-3", 10, "2-3"],
  ["bytes=2-3,", 10, "2-3"],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=100-200", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-5", 0, "unsatisfiable"],
  ["bytes=5-4", 10, "whole"],
  ["bytes=0-1,3-4", 10, "whole"],
  ["bytes=-", 10, "whole"],
  ["bytes=", 10, "whole"],
  ["bytes=a-b", 10, "whole"],
  ["items=0-4", 10, "whole"],
  ["0-4", 10, "whole"],
  [`bytes=0-${"9".repeat(400)}`, 10, "0-9"],
];

test.each(ranges)("of %s of %i bytes the part is %s", (header, length, part) => {
  const range = byteRange(header, length);
  expect(typeof range === "object" ? `${range.first}-${range.last}` : (range ?? "whole")).toBe(part);
});

const conditions: readonly (readonly [ifRange: string | null, applies: boolean])[] = [
  [null, true],
  ['"v1"', true],
  ['"v2"', false],
  ['W/"v1"', false],
  ["Sat, 31 Jan 2026 12:00:00 GMT", true],
  ["Sun, 01 Feb 2026 12:00:00 GMT", false],
];

test.each(conditions)("If-Range %s is a condition that is %s", (ifRange, applies) => {
  const header = new Headers({ etag: '"v1"', "last-modified": "Sat, 31 Jan 2026 12:00:00 GMT" });
  expect(rangeApplies(ifRange, header)).toBe(applies);
  if (ifRange !== null) expect(rangeApplies(ifRange, new Headers())).toBe(false);
});
