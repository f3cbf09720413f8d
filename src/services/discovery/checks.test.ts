import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, onTestFinished, test } from "vitest";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Random } from "../../base/random.ts";
import { away, healthy, testRegistration } from "../../test/suites/discovery-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Checks } from "./checks.ts";
import type { Probe } from "./probes.ts";
import { type Entry, Registry, type Verdict } from "./registry.ts";

const middle: Random = () => 0.5;

/** Checks over a probe that the test writes; reports are kept with their time since the start. */
function open(probe: Probe, { maxAtOnce = 100, random = middle } = {}) {
  const [clock, registry] = [fakeClock(0), new Registry()];
  const reports: [atMs: number, id: string, reason: string][] = [];
  const report = (entry: Entry, verdict: Verdict) => {
    reports.push([clock.now(), entry.instance.id, verdict.reason]);
    registry.report(entry, verdict, clock.now());
  };
  const checks = new Checks({ probe, report, clock, random, maxAtOnce });
  onTestFinished(() => checks[Symbol.dispose]());
  const add = (wanted: Parameters<typeof testRegistration>[0] = {}) =>
    checks.add(registry.put(testRegistration(wanted), clock.now()));
  return { clock, registry, checks, reports, add };
}

const never: Probe = () => new Promise(() => {});

test("an instance is checked at once and every 10 s after that", async () => {
  const { clock, reports, add } = open(async () => healthy);
  await add();
  await clock.advance(30_000);
  expect(reports.map(([atMs]) => atMs)).toEqual([0, 10_000, 20_000, 30_000]);
});

test("an instance is checked as often as it asks for", async () => {
  const { clock, reports, add } = open(async () => healthy);
  await add({ healthCheck: { interval: durationFromMs(60_000) } });
  await clock.advance(120_000);
  expect(reports.map(([atMs]) => atMs)).toEqual([0, 60_000, 120_000]);
});

test.each([
  [0, 9_000],
  [1 - 1e-9, 11_000],
])("checks are spread by a tenth of the interval either way (dice at %d)", async (die, atMs) => {
  const { clock, reports, add } = open(async () => healthy, { random: () => die });
  await add();
  await clock.advance(11_000);
  expect(reports[1]?.[0]).toBeCloseTo(atMs, 0);
});

test("an instance that has never been well is asked sooner, twice as late each time, until it is", async () => {
  let ready = false;
  const { clock, reports, add } = open(async () => (ready ? healthy : away));
  await add();
  await clock.advance(20_000);
  expect(reports.map(([atMs]) => atMs)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
  ready = true;
  await clock.advance(25_000);
  expect(reports.slice(5).map(([atMs]) => atMs)).toEqual([25_000, 35_000, 45_000]);
});

test("an instance that was well and is not any more is asked at its interval", async () => {
  let well = true;
  const { clock, reports, add } = open(async () => (well ? healthy : away));
  await add();
  well = false;
  await clock.advance(30_000);
  expect(reports.map(([atMs]) => atMs)).toEqual([0, 10_000, 20_000, 30_000]);
});

test("a check that does not answer is given up after 2 s, even if the probe ignores its signal", async () => {
  const { clock, registry, add } = open(never);
  const first = add();
  await clock.advance(1_999);
  expect(registry.get("user-1")?.instance.status).toBe(Status.UNSPECIFIED);
  await clock.advance(1);
  await first;
  expect(registry.get("user-1")?.instance).toMatchObject({
    status: Status.UNAVAILABLE,
    statusReason: "no answer within 2000 ms",
  });
});

test("a check is given up after the time its instance asks for", async () => {
  const { clock, registry, add } = open(never);
  void add({ healthCheck: { timeout: durationFromMs(300) } });
  await clock.advance(300);
  expect(registry.get("user-1")?.instance.statusReason).toBe("no answer within 300 ms");
});

test("one slow instance does not delay the others", async () => {
  const { clock, reports, add } = open((asked, signal) =>
    asked.instance.id === "slow" ? never(asked, signal) : Promise.resolve(healthy),
  );
  void add({ id: "slow", port: 1 });
  await add({ id: "quick", port: 2 });
  await clock.advance(10_000);
  expect(reports.filter(([, id]) => id === "quick").map(([atMs]) => atMs)).toEqual([0, 10_000]);
});

test("no more run at once than allowed; the others follow in their order", async () => {
  let running = 0;
  let most = 0;
  const order: string[] = [];
  const { clock, add } = open(
    async ({ instance }) => {
      order.push(instance.id);
      most = Math.max(most, ++running);
      await clock.sleep(100);
      running--;
      return healthy;
    },
    { maxAtOnce: 2 },
  );
  const ids = ["a", "b", "c", "d", "e"];
  const all = ids.map((id, index) => add({ id, port: index + 1 }));
  await clock.advance(300);
  await Promise.all(all);
  expect(most).toBe(2);
  expect(order).toEqual(ids);
});

test("an instance that is dropped while it waits for its turn is not asked, and holds up nobody", async () => {
  const asked: string[] = [];
  const { clock, checks, add } = open(
    async ({ instance }) => {
      asked.push(instance.id);
      await clock.sleep(100);
      return healthy;
    },
    { maxAtOnce: 1 },
  );
  const all = ["a", "b", "c"].map((id, index) => add({ id, port: index + 1 }));
  checks.drop("b");
  await clock.advance(200);
  await Promise.all(all);
  expect(asked).toEqual(["a", "c"]);
});

test("a check of an instance that is dropped is not reported, and leaves nothing behind", async () => {
  const { clock, checks, reports, add } = open(never);
  const first = add();
  await clock.advance(1_000);
  checks.drop("user-1");
  await first;
  await clock.advance(60_000);
  expect(reports).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(checks.size).toBe(0);
});

test("an instance that registers again is checked at once, and by one round only", async () => {
  const { clock, reports, add } = open(async () => healthy);
  await add();
  await clock.advance(4_000);
  await add();
  await clock.advance(10_000);
  expect(reports.map(([atMs]) => atMs)).toEqual([0, 4_000, 14_000]);
});

test("a probe that fails says why in plain words", async () => {
  const refused = new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  });
  const { registry, add } = open(() => Promise.reject(refused));
  await add();
  expect(registry.get("user-1")?.instance.statusReason).toBe("nothing listens there");
});
