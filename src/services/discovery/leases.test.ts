import { expect, test } from "vitest";
import { Leases } from "./leases.ts";

/** Lets time pass as discovery sees it: a look at the leases each second. Returns what lapsed, and when. */
function live(leases: Leases, { from, to }: { from: number; to: number }): [number, string][] {
  const lapsed: [number, string][] = [];
  for (let at = from; at <= to; at += 1_000) for (const id of leases.lapsed(at)) lapsed.push([at, id]);
  return lapsed;
}

const stream = Symbol("stream");
const later = Symbol("a later stream");

test("a lease that is not renewed lapses after 15 s, once", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  expect(live(leases, { from: 0, to: 40_000 })).toEqual([[15_000, "a"]]);
  expect(leases.size).toBe(0);
});

test("a renewed lease lapses 15 s after its last renewal", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  expect(live(leases, { from: 0, to: 10_000 })).toEqual([]);
  expect(leases.renew("a", stream, 10_000)).toBe(true);
  expect(live(leases, { from: 11_000, to: 40_000 })).toEqual([[25_000, "a"]]);
});

test("a lease ends 3 s after the stream that held it", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  leases.renew("a", stream, 0);
  leases.release(stream, 1_000);
  expect(live(leases, { from: 1_000, to: 40_000 })).toEqual([[4_000, "a"]]);
});

test("the end of a stream does not prolong what was about to lapse", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  leases.renew("a", stream, 0);
  live(leases, { from: 0, to: 14_000 });
  leases.release(stream, 14_000);
  expect(live(leases, { from: 14_000, to: 40_000 })).toEqual([[15_000, "a"]]);
});

test("a stream that comes within the grace takes the lease over with its full span", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  leases.renew("a", stream, 0);
  leases.release(stream, 0);
  live(leases, { from: 0, to: 2_000 });
  expect(leases.renew("a", later, 2_000)).toBe(true);
  expect(live(leases, { from: 2_000, to: 40_000 })).toEqual([[17_000, "a"]]);
});

test("the end of a stream does not touch what a later stream holds, nor what was registered again since", () => {
  const leases = new Leases();
  for (const id of ["taken-over", "registered-again", "held"]) {
    leases.begin(id, 0);
    leases.renew(id, stream, 0);
  }
  leases.renew("taken-over", later, 0);
  leases.begin("registered-again", 0);
  leases.release(stream, 0);
  expect(live(leases, { from: 0, to: 14_000 })).toEqual([[3_000, "held"]]);
});

test("what was never begun, has ended or has lapsed cannot be renewed", () => {
  const leases = new Leases();
  leases.begin("ended", 0);
  leases.end("ended");
  leases.begin("lapsed", 0);
  live(leases, { from: 0, to: 15_000 });
  for (const id of ["ended", "lapsed", "never"]) expect(leases.renew(id, stream, 15_000)).toBe(false);
});

test("a clock that is set forward by an hour ends no lease", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  live(leases, { from: 0, to: 5_000 });
  const hour = 3_600_000;
  expect(live(leases, { from: hour, to: hour + 7_000 })).toEqual([]);
  expect(live(leases, { from: hour + 8_000, to: hour + 9_000 })).toEqual([[hour + 8_000, "a"]]);
});

test("a clock that is set back keeps no lease for ever", () => {
  const leases = new Leases();
  leases.begin("a", 3_600_000);
  expect(live(leases, { from: 0, to: 40_000 })).toEqual([[15_000, "a"]]);
});

test("a process that was stopped for a minute reads its renewals before anything lapses", () => {
  const leases = new Leases();
  leases.begin("a", 0);
  leases.renew("a", stream, 0);
  live(leases, { from: 0, to: 5_000 });
  expect(leases.lapsed(65_000)).toEqual([]);
  expect(leases.renew("a", stream, 65_000)).toBe(true);
});
