import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { ConnectBackoff } from "./connect-backoff.ts";

/** The waits after so many failures, each at a time of its own. */
function waits(backoff: ConnectBackoff, failures: number) {
  return Array.from({ length: failures }, (_, turn) => {
    const now = turn * 1_000_000;
    backoff.failed(now);
    return { preferred: Math.round(backoff.preferredAt - now), allowed: Math.round(backoff.allowedAt - now) };
  });
}

test("each wait is 1.6 times the one before, up to the most there is", () => {
  const backoff = new ConnectBackoff({ random: () => 0.5 });
  const preferred = waits(backoff, 20).map((wait) => wait.preferred);
  expect(preferred.slice(0, 4)).toEqual([100, 160, 256, 410]);
  expect(preferred.slice(-3)).toEqual([120_000, 120_000, 120_000]);
});

test("the dice move each wait by a fifth at the most", () => {
  const random = seededRandom(1);
  for (let turn = 0; turn < 1_000; turn++) {
    const [wait] = waits(new ConnectBackoff({ random }), 1);
    expect(wait?.preferred).toBeGreaterThanOrEqual(80);
    expect(wait?.preferred).toBeLessThanOrEqual(120);
  }
});

test("however long others should be preferred, nobody is refused for more than a second", () => {
  const allowed = waits(new ConnectBackoff({ random: () => 0.5 }), 12).map((wait) => wait.allowed);
  expect(allowed.slice(0, 3)).toEqual([100, 160, 256]);
  expect(allowed.slice(-3)).toEqual([1_000, 1_000, 1_000]);
});

test("what has proved itself begins anew", () => {
  const backoff = new ConnectBackoff({ random: () => 0.5 });
  expect(backoff.allowedAt).toBeLessThan(0);
  waits(backoff, 5);
  backoff.succeeded();
  expect([backoff.preferredAt, backoff.allowedAt]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(waits(backoff, 1)).toEqual([{ preferred: 100, allowed: 100 }]);
});
