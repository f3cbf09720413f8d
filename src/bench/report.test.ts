import { expect, test } from "vitest";
import { runLoad } from "./load.ts";
import { picture } from "./picture.ts";
import { targetTable } from "./report.ts";
import { Results } from "./results.ts";
import type { Round } from "./rig.ts";

/** Rounds of servers at 32 in flight, by their rates. */
function measured(rates: Readonly<Record<string, readonly number[]>>): Results {
  const results = new Results();
  for (const [peer, perSeconds] of Object.entries(rates)) {
    for (const perSecond of perSeconds) results.add({ scenario: "servers", inFlight: 32, peer }, round(perSecond));
  }
  return results;
}

function round(perSecond: number): Round {
  return { perSecond, p50Ms: 1, p99Ms: 4, cpuUs: 1e6 / perSecond, rssMb: 100, otherRatio: 0.1 };
}

test("ratios are taken round by round, so that a slow minute of the machine does not count", () => {
  const results = measured({ heddle: [100, 10, 90], "grpc-js": [20, 2, 30] });
  const [own, other] = ["heddle", "grpc-js"].map((peer) => ({ scenario: "servers", inFlight: 32, peer }) as const);
  const ratio = own && other && results.compare(own, other, (a, b) => a.perSecond / b.perSecond);
  expect(ratio).toEqual({ median: 5, min: 3, max: 5 });
});

test("the table says of each target whether it is met, and by how much it is missed", () => {
  const table = targetTable(measured({ heddle: [100], "grpc-js": [50], "node:http2": [50], "connect-node": [6] }));
  expect(table).toMatch(/÷ grpc-js .* 2\.00 \[2\.00\.\.2\.00\] .* MISSED by 43 %/);
  expect(table).toMatch(/÷ node:http2 .* aim reached/);
  expect(table).toMatch(/÷ connect-node .* met/);
  expect(table).toMatch(/p99 ÷ p50.* 4\.00 .* aim reached/);
  expect(table).not.toContain("gateway"); // of which nothing was measured
});

test("the picture has a bar for each target that was measured", () => {
  expect(picture(measured({ heddle: [100], "grpc-js": [50] })).match(/<rect /g)).toHaveLength(3);
});

test("a load makes no more calls at once than it is told, and counts all of them", async () => {
  let [running, most, made] = [0, 0, 0];
  const call = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    made++;
  };
  const { calls, p50Ms, p99Ms } = await runLoad(call, { ms: 20, inFlight: 3 });
  expect([most, calls]).toEqual([3, made]);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
});
