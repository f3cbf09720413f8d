import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../../base/log.ts";
import { Watchable } from "../../base/watch.ts";
import { testInstance } from "../../test/suites/discovery-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { DescriptorError } from "./contract.ts";
import { ContractWatch } from "./contract-watch.ts";
import type { Fleet } from "./fleet.ts";

type Instances = readonly ReturnType<typeof testInstance>[];

/** A watch over a fleet that the test sets; instances answer with their id, or fail as `failures` say, one by one. */
function openWatch(instances: Instances, failures: Record<string, unknown[]> = {}) {
  const clock = fakeClock();
  const fleet = new Watchable<Fleet>({ kind: "live", instances });
  const asked: string[] = [];
  const offered: string[] = [];
  const refused: string[] = [];
  const watch = new ContractWatch({
    fleet,
    async read({ id, name }, service) {
      asked.push(`${id} of ${service}`);
      const failure = failures[id]?.shift();
      if (failure !== undefined) throw failure;
      return { service: UserService, owner: name, digest: id };
    },
    offer: ({ digest }) => offered.push(digest),
    refuse: (_, problem) => refused.push(problem),
    clock,
    random: () => 1,
    log: silentLogger,
  });
  const show = (...now: Instances) => {
    fleet.set({ kind: "live", instances: now });
    return clock.advance(0);
  };
  return { clock, asked, offered, refused, show, [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose]() };
}

const at = (seconds: number) =>
  ({ registerTime: { $typeName: "google.protobuf.Timestamp", seconds: BigInt(seconds), nanos: 0 } }) as const;

test("every instance is asked once, the newest last, and again in another version only", async () => {
  const [old, young] = [testInstance({ id: "old", ...at(1) }), testInstance({ id: "young", ...at(2) })];
  await using watch = openWatch([young, old]);
  await watch.clock.advance(0);
  expect(watch.offered).toEqual(["old", "young"]);
  await watch.show(young, { ...old, status: Status.UNHEALTHY });
  expect(watch.asked).toHaveLength(2);
  await watch.show(young, { ...old, version: "2" });
  expect(watch.offered).toEqual(["old", "young", "old"]);
});

test("health and reflection are nobody's contract, and who cannot be reached is asked when it is back", async () => {
  const services = ["grpc.health.v1.Health", "shop.user.v1.UserService"];
  const lapsed = testInstance({ id: "u", services, status: Status.UNAVAILABLE });
  await using watch = openWatch([lapsed]);
  await watch.clock.advance(0);
  expect(watch.asked).toEqual([]);
  await watch.show({ ...lapsed, status: Status.HEALTHY });
  expect(watch.asked).toEqual(["u of shop.user.v1.UserService"]);
});

test("an instance that does not answer is asked again after a while; the others need not wait for it", async () => {
  const away = () => new ConnectError("connection refused", Code.Unavailable);
  const instances = [testInstance({ id: "slow", ...at(1) }), testInstance({ id: "quick", ...at(2) })];
  await using watch = openWatch(instances, { slow: [away(), away()] });
  await watch.clock.advance(0);
  expect(watch.offered).toEqual(["quick"]);
  await watch.clock.advance(600);
  expect(watch.clock.sleeps).toEqual([200, 400]);
  expect([watch.offered, watch.refused]).toEqual([["quick", "slow"], []]);
});

test("an answer that makes no sense, or that there is no reflection, is refused and not asked for again", async () => {
  const instances = [testInstance({ id: "bad", ...at(1) }), testInstance({ id: "mute", ...at(2) })];
  await using watch = openWatch(instances, {
    bad: [new DescriptorError("nonsense")],
    mute: [new ConnectError("no such method", Code.Unimplemented)],
  });
  await watch.clock.advance(10_000);
  expect(watch.refused).toEqual(["bad: nonsense", "mute: [unimplemented] no such method"]);
  expect(watch.asked).toHaveLength(2);
});

test("what appears while others are being asked is asked too", async () => {
  const [first, second] = [testInstance({ id: "1" }), testInstance({ id: "2" })];
  await using watch = openWatch([first]);
  void watch.show(first, second);
  await watch.clock.advance(0);
  expect(watch.offered).toEqual(["1", "2"]);
});
