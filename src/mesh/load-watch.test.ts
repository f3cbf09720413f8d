import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import type { LoadReport } from "../call/load-report.ts";
import { eventually } from "../testing/eventually.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { openTestServer } from "../testing/open-server.ts";
import { defaultEngine } from "../wire/engines.ts";
import { LoadWatch } from "./load-watch.ts";

const serve = (utilization: number, port = 0) =>
  openTestServer([[UserService, {}]], { port, loop: () => ({ read: () => ({ utilization, delayMs: 0 }) }) });

/** Follows what is at the address, on a clock that stands still. */
function follow(address: string) {
  const clock = fakeClock();
  const session = defaultEngine.connect(address);
  const reports: LoadReport[] = [];
  const take = (report: LoadReport) => void reports.push(report);
  const watch = new LoadWatch({ session, intervalMs: 1_000, take, clock, random: () => 0.5 });
  const close = async () => {
    watch[Symbol.dispose]();
    await session[Symbol.asyncDispose]();
  };
  return { clock, reports, watch, [Symbol.asyncDispose]: close };
}

const said = (reports: readonly LoadReport[], utilization: number) =>
  eventually(`${utilization} is reported`, () => reports.at(-1)?.utilization === utilization);

test("what an endpoint says of its load is taken in without a call; another one at its address is asked again", async () => {
  const first = await serve(0.25);
  await using following = follow(first.address);
  await said(following.reports, 0.25);
  await first[Symbol.asyncDispose]();
  await using _second = await serve(0.75, first.port);
  await eventually("the second one reports", async () => {
    await following.clock.advance(1_000);
    return following.reports.at(-1)?.utilization === 0.75;
  });
});

test("whoever wants to know no longer leaves nothing behind", async () => {
  await using server = await serve(0.5);
  await using following = follow(server.address);
  await said(following.reports, 0.5);
  following.watch[Symbol.dispose]();
  await eventually("no timer is left", () => following.clock.pending === 0);
  expect(await server.drain(5_000)).toBe(0);
});
