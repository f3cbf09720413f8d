import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { runWorld, type Served, type Services, simulate, uniform } from "../index.ts";

/** What a service of one's own may look like: it takes its time, and knows its users by their ids. */
const users: Services<[typeof UserService]> = ({ clock, replica }) => [
  [
    UserService,
    {
      async getUser({ id }, { signal }) {
        await clock.sleep(5, signal);
        if (id === 404n) throw new ConnectError("no such user", Code.NotFound);
        return { user: { id, name: replica.name } };
      },
    },
  ],
];

describe("as somebody writes it who tests a service of their own", () => {
  test("reads survive the loss of a replica in the middle of them", () =>
    simulate({ seeds: 20 }, async (world) => {
      const service = await world.serve("user", users, { replicas: 3 });
      const client = (await world.caller("shop")).client(UserService);
      const reading = Promise.all(Array.from({ length: 30 }, () => client.getUser({ id: 42n })));
      await world.sleep(3);
      service.replica(1).crash();
      const answers = await reading;
      expect(answers.every(({ user }) => user?.id === 42n)).toBe(true);
    }));

  test("a replica that comes back is found again", () =>
    simulate({ seeds: 5, latency: uniform(0.2, 20) }, async (world) => {
      const service = await world.serve("user", users);
      const client = (await world.caller("shop")).client(UserService);
      const back = world.strike({ kind: "power off", host: "user-1" });
      await expect(client.getUser({ id: 1n })).rejects.toThrow();
      await back();
      await world.sleep(20_000);
      expect((await client.getUser({ id: 1n })).user?.name).toBe(service.replica(1).name);
    }));

  test("whatever goes wrong, a call that may be repeated is answered or ends in time", () =>
    simulate({ seeds: 20 }, async (world) => {
      await world.serve("user", users, { replicas: 3, zones: ["a", "b"] });
      const client = (await world.caller("shop")).client(UserService);
      const trouble = world.trouble({ withinMs: 10_000 });
      for (let i = 0; i < 20; i++) {
        const beganAt = world.now;
        await client.getUser({ id: 42n }).catch(() => {});
        expect(world.now - beganAt).toBeLessThan(1_010);
        await world.sleep(world.random.between(0, 1_000));
      }
      await trouble;
    }));
});

/** The names of those that answer. */
async function askedOnce(service: Served, client: { getUser(request: { id: bigint }): Promise<{ user?: unknown }> }) {
  for (const _ of service.replicas) await client.getUser({ id: 1n });
}

test("a failure tells its seed, how to see it again, the faults, and what happened around it", async () => {
  const failing = simulate({ seed: 7 }, async (world) => {
    await world.serve("user", users);
    const client = (await world.caller("shop")).client(UserService);
    const over = world.strike({ kind: "slow", host: "user-1", factor: 10 });
    await world.sleep(30_000);
    await over();
    await client.getUser({ id: 404n });
  });
  const message = await failing.then(
    () => "",
    ({ message }: Error) => message,
  );
  expect(message).toMatch(/no such user/);
  expect(message).toMatch(/seed 7; replay it with HEDDLE_SEED=7/);
  expect(message).toMatch(/ 0\.\d+ {2}world +fault: slow, host user-1, factor 10/);
  expect(message).toMatch(/30\.\d+ {2}shop +shop\.user\.v1\.UserService\/GetUser: NotFound/);
});

test("what is left behind is a failure, and says where it was made", async () => {
  const failing = simulate({}, async (world) => {
    const caller = await world.caller("shop");
    caller.node?.clock.setTimer(60_000, () => {});
  });
  await expect(failing).rejects.toThrow(/shop left 1 timers · a timer of 60000 ms at .*simulate\.test\.ts/);
});

test("a scenario that waits for what never comes fails instead of hanging", async () => {
  const { problem } = await runWorld({ seed: 1, maxEvents: 20_000 }, () => new Promise(() => {}));
  expect(problem?.message).toMatch(/more than 20000 events: it never rests/);
});

test("a process that starts again begins anew, and is another instance", async () => {
  const seen: string[] = [];
  await simulate({}, async (world) => {
    const service = await world.serve("user", users);
    const known = () =>
      world.registry
        .instances(UserService.typeName)
        .map(({ id }) => id)
        .join();
    const client = (await world.caller("shop")).client(UserService);
    await askedOnce(service, client);
    seen.push(known());
    await service.replica(1).stop();
    seen.push(known());
    await service.replica(1).start();
    await service.replica(1).registered();
    await world.sleep(5_000);
    seen.push(known());
    await askedOnce(service, client);
  });
  expect(seen).toEqual(["user-1.1", "", "user-1.2"]);
});
