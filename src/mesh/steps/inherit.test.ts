import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { type CurrentCall, runInCall } from "../../call/context.ts";
import { traceIdOf } from "../../call/traceparent.ts";
import { type Fleet, named, openFleet } from "../../testing/fake-fleet.ts";

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const told = (fleet: Fleet, name: string) => fleet.asked.map(({ header }) => header.get(name));

test("a call carries the trace of the call it is made for, state and all", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  await runInCall({ traceparent: trace, tracestate: "a=1" }, () => fleet.users.getUser({ id: 1n }));
  expect(told(fleet, "traceparent")).toEqual([trace]);
  expect(told(fleet, "tracestate")).toEqual(["a=1"]);
});

test("a call on nobody's behalf starts a trace, by the mesh's dice", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") }, { random: seededRandom(7) });
  await using again = await openFleet({ "a:1": named("Ada") }, { random: seededRandom(7) });
  for (const { users } of [fleet, fleet, again]) await users.getUser({ id: 1n });
  const [first, second] = told(fleet, "traceparent").map((one) => traceIdOf(one ?? undefined));
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(second).not.toBe(first);
  expect(told(again, "traceparent")).toEqual(told(fleet, "traceparent").slice(0, 1));
  expect(told(fleet, "tracestate")).toEqual([null, null]);
});

test("calls of one call share the trace that the first of them started, and it is that call's from then on", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  const call: CurrentCall = { tracestate: "of=nothing" };
  await runInCall(call, () => fleet.users.getUser({ id: 1n }));
  await runInCall(call, () => fleet.users.getUser({ id: 2n }));
  expect(call.traceparent).toBeDefined();
  expect(told(fleet, "tracestate")[0]).toBeNull();
  expect(told(fleet, "traceparent")).toEqual([call.traceparent, call.traceparent]);
});

test("what the caller says itself goes out as it is", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  const headers = { traceparent: trace, "heddle-criticality": "normal" };
  await fleet.users.getUser({ id: 1n }, { headers });
  const call = { traceparent: "00-another", tracestate: "a=1", criticality: "sheddable" } as const;
  await runInCall(call, () => fleet.users.getUser({ id: 1n }, { headers }));
  expect(told(fleet, "traceparent")).toEqual([trace, trace]);
  expect(told(fleet, "tracestate")).toEqual([null, null]);
  expect(told(fleet, "heddle-criticality")).toEqual(["normal", "normal"]);
});

test("a call made for a sheddable one says that it is sheddable; one that is what its contract says, nothing", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  for (const criticality of ["sheddable", "normal", "critical", undefined] as const) {
    await runInCall({ criticality }, () => fleet.users.getUser({ id: 1n }));
  }
  expect(told(fleet, "heddle-criticality")).toEqual(["sheddable", null, null, null]);
});
