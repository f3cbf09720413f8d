import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { away, named, openFleet } from "../testing/fake-fleet.ts";
import { callsOfTrace, enterRecent, eventfulCalls, Recent } from "./recent.ts";
import { Story } from "./story.ts";

const clock = fakeClock();
const method = UserService.method.getUser;

/** Something different for each number, and the same for the same. */
const trace = (number: number) => number.toString(16).padStart(32, "0");

/** A call that went straight to its answer, or did not. */
function call(number: number, what?: string): Story {
  const traceparent = `00-${trace(number)}-00f067aa0ba902b7-01`;
  const story = new Story(method, { traceparent, startedAt: clock.now() + number, deadlineAt: undefined });
  const endpoint = { id: "a", name: "user", address: "a:1", zone: "", weight: 100, version: "" };
  const choice = { among: 1, endpoints: [endpoint], leftOut: [], rule: "healthy" } as const;
  const [startedAt, endedAt] = [story.startedAt, story.startedAt + 1];
  const facts = { number: 1, kind: "first", endpoint, choice, costs: [30], startedAt, endedAt } as const;
  story.attempt({ ...facts, timeoutMs: undefined, code: undefined, message: undefined, opened: undefined });
  if (what !== undefined) story.note(startedAt, what);
  story.end(endedAt);
  return story;
}

test("eventful calls outlive any number of those that went straight to their answer", () => {
  const recent = new Recent(clock);
  recent.add(call(1, "waits"));
  for (let number = 2; number < 5_000; number++) recent.add(call(number));
  expect(recent.ofTrace(trace(1))).toHaveLength(1);
  expect(recent.ofTrace(trace(2))).toEqual([]);
  expect(recent.ofTrace(trace(4_999))).toHaveLength(1);
  expect(recent.eventful()).toHaveLength(1);
});

test("what was broken on purpose is eventful, however it ended", () => {
  const recent = new Recent(clock);
  const story = call(1);
  Object.assign(story.attempts[0] ?? {}, { fault: "delay" });
  recent.add(story);
  recent.add(call(2));
  expect(recent.eventful().map(({ traceId }) => traceId)).toEqual([trace(1)]);
});

test("of many eventful calls the latest are remembered, however many there were", () => {
  const recent = new Recent(clock);
  for (let number = 1; number <= 3_000; number++) recent.add(call(number, "waits"));
  expect(recent.eventful()).toHaveLength(1_024);
  expect(recent.ofTrace(trace(3_000))).toHaveLength(1);
  expect(recent.ofTrace(trace(1_000))).toEqual([]);
});

test("the calls of a process are those of its open meshes, in the order in which they began", () => {
  const [one, other] = [new Recent(clock), new Recent(clock)];
  const [leaveOne, leaveOther] = [enterRecent(one), enterRecent(other)];
  for (const number of [7, 9]) one.add(call(number, "waits"));
  other.add(call(8, "waits"));
  expect(eventfulCalls(2).map(({ traceId }) => traceId)).toEqual([trace(9), trace(8)]);
  expect(callsOfTrace(trace(8))).toHaveLength(1);
  leaveOther[Symbol.dispose]();
  expect(callsOfTrace(trace(8))).toEqual([]);
  leaveOne[Symbol.dispose]();
  expect(eventfulCalls(100)).toEqual([]);
});

test("a mesh's calls are found while it is open, by the trace that they are part of", async () => {
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  const fleet = await openFleet({ "a:1": away, "b:1": named("Bob") });
  const call = fleet.users.getUser({ id: 1n }, { headers });
  await fleet.clock.advance(100);
  await call;
  const found = () => callsOfTrace("0af7651916cd43dd8448eb211c80319c");
  expect(found()).toMatchObject([{ method: "shop.user.v1.UserService/GetUser", outcome: "answered" }]);
  await fleet[Symbol.asyncDispose]();
  expect(found()).toEqual([]);
});
