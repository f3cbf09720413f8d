import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Lease } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { away, healthy, openTestDiscovery, testInstance } from "../../test/suites/discovery-parts.ts";

type Discovery = Awaited<ReturnType<typeof openTestDiscovery>>;

async function resolved({ client }: Discovery, service = "user"): Promise<string[]> {
  return (await client.resolve({ service })).instances.map(({ id }) => id);
}

/** A keep-alive stream under the test's hand. */
function keepAlive({ client }: Discovery) {
  const broken = new AbortController();
  const sent: ((id: string | undefined) => void)[] = [];
  async function* requests() {
    for (;;) {
      const id = await new Promise<string | undefined>((resolve) => sent.push(resolve));
      if (id === undefined) return;
      yield { id };
    }
  }
  const answers = client.keepAlive(requests(), { signal: broken.signal })[Symbol.asyncIterator]();
  return {
    /** Renews, and returns the answer. */
    async renew(id: string) {
      const answer = answers.next();
      await expect.poll(() => sent.length).toBeGreaterThan(0);
      sent.shift()?.(id);
      return (await answer).value;
    },
    /** Ends as a client does that has nothing more to say. */
    async end() {
      const answer = answers.next();
      await expect.poll(() => sent.length).toBeGreaterThan(0);
      sent.shift()?.(undefined);
      await answer;
    },
    /** Ends as a connection does that is cut. */
    cut: () => broken.abort(),
  };
}

test("a registered instance that passes its first check is answered as healthy and handed out at once", async () => {
  await using discovery = await openTestDiscovery();
  const answer = await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  expect(answer).toMatchObject({
    instance: { id: "user-1", status: Status.HEALTHY, weight: 100 },
    leaseTtl: { seconds: 15n },
  });
  expect(answer.instance?.lastCheckTime).toBeDefined();
  expect(answer.instance?.registerTime).toBeDefined();
  expect(await resolved(discovery)).toEqual(["user-1"]);
});

test("a slow first check holds up the answer for half a second and the hand-out until it is passed", async () => {
  const check = Promise.withResolvers<{ status: Status; reason: string }>();
  await using discovery = await openTestDiscovery({ probe: () => check.promise });
  const answer = discovery.client.register({ instance: testInstance() });
  await discovery.clock.advance(500);
  expect((await answer).instance?.status).toBe(Status.UNSPECIFIED);
  expect(await resolved(discovery)).toEqual([]);
  check.resolve({ status: Status.HEALTHY, reason: "" });
  await discovery.clock.advance(0);
  expect(await resolved(discovery)).toEqual(["user-1"]);
});

test("what is discovery's to say is not taken from the registrant", async () => {
  await using discovery = await openTestDiscovery({ probe: async () => away });
  const claimed = testInstance({ status: Status.HEALTHY, statusReason: "trust me" });
  const { instance, leaseTtl } = await discovery.client.register({ instance: claimed });
  expect(instance).toMatchObject({ status: Status.UNAVAILABLE, statusReason: away.reason });
  expect(leaseTtl).toBeUndefined();
});

test("an instance without an id is given one that it can use", async () => {
  await using discovery = await openTestDiscovery();
  const { instance } = await discovery.client.register({ instance: testInstance({ id: "", weight: 0 }) });
  expect(instance?.id).toMatch(/^user-[0-9a-f]{8}$/);
  expect(instance?.weight).toBe(100);
});

test("hosts that differ only in case are one address", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance({ id: "old", host: "LocalHost" }) });
  await discovery.client.register({ instance: testInstance({ id: "new", host: "localhost" }) });
  expect(await resolved(discovery)).toEqual(["new"]);
});

test("only healthy ones are resolved unless the others are asked for", async () => {
  await using discovery = await openTestDiscovery({ probe: async () => away });
  await discovery.client.register({ instance: testInstance() });
  expect(await resolved(discovery)).toEqual([]);
  const all = await discovery.client.resolve({ service: "shop.user.v1.UserService", includeUnhealthy: true });
  expect(all.instances).toMatchObject([{ id: "user-1", status: Status.UNAVAILABLE }]);
  expect(all.version).toBe(discovery.registry.version);
});

test("a lease that nobody renews lapses after 15 s: the instance stays visible, unavailable, for an hour", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  await discovery.clock.advance(14_900);
  expect(await resolved(discovery)).toEqual(["user-1"]);
  await discovery.clock.advance(500);
  expect(await resolved(discovery)).toEqual([]);
  const { service } = await discovery.client.getService({ name: "user" });
  expect(service).toMatchObject({
    status: Status.UNAVAILABLE,
    instances: [{ id: "user-1", status: Status.UNAVAILABLE }],
  });
  await discovery.clock.advance(3_600_000);
  await expect(discovery.client.getService({ name: "user" })).rejects.toMatchObject({ code: Code.NotFound });
});

test("a registration until taken out needs no renewal, and a renewal of it is known and has no span", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance() });
  await discovery.clock.advance(60_000);
  expect(await resolved(discovery)).toEqual(["user-1"]);
  const stream = keepAlive(discovery);
  const answer = await stream.renew("user-1");
  expect(answer).toMatchObject({ id: "user-1", known: true });
  expect(answer?.leaseTtl).toBeUndefined();
  stream.cut();
});

test("renewals keep an instance; an id that is not known is told so and ends nothing", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const stream = keepAlive(discovery);
  expect(await stream.renew("stranger")).toMatchObject({ id: "stranger", known: false });
  for (let renewal = 0; renewal < 6; renewal++) {
    expect(await stream.renew("user-1")).toMatchObject({ known: true, leaseTtl: { seconds: 15n } });
    await discovery.clock.advance(5_000);
  }
  expect(await resolved(discovery)).toEqual(["user-1"]);
  stream.cut();
});

test.each(["cut", "end"] as const)("a lease ends 3 s after its stream (%s)", async (how) => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const stream = keepAlive(discovery);
  await stream.renew("user-1");
  await stream[how]();
  await discovery.clock.advance(2_500);
  expect(await resolved(discovery)).toEqual(["user-1"]);
  await discovery.clock.advance(1_000);
  expect(await resolved(discovery)).toEqual([]);
});

test("a process whose stream broke because it died is not handed out for the grace", async () => {
  let verdict = healthy;
  await using discovery = await openTestDiscovery({ probe: async () => verdict });
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const stream = keepAlive(discovery);
  await stream.renew("user-1");
  verdict = away;
  stream.cut();
  await discovery.clock.advance(1);
  expect(await resolved(discovery)).toEqual([]);
});

test("a client that connects again within the grace goes on as if nothing had been", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const first = keepAlive(discovery);
  await first.renew("user-1");
  first.cut();
  await discovery.clock.advance(2_000);
  const second = keepAlive(discovery);
  expect(await second.renew("user-1")).toMatchObject({ known: true });
  await discovery.clock.advance(10_000);
  expect(await resolved(discovery)).toEqual(["user-1"]);
  second.cut();
});

test("a lapsed instance has to register again, and is handed out again once it did", async () => {
  await using discovery = await openTestDiscovery();
  const registration = { instance: testInstance(), lease: Lease.KEPT_ALIVE };
  await discovery.client.register(registration);
  await discovery.clock.advance(16_000);
  const stream = keepAlive(discovery);
  expect(await stream.renew("user-1")).toMatchObject({ known: false });
  await discovery.client.register(registration);
  expect(await stream.renew("user-1")).toMatchObject({ known: true });
  expect(await resolved(discovery)).toEqual(["user-1"]);
  stream.cut();
});

test("taking an instance out once or twice is the same; the wrong name is refused and takes nothing out", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const misnamed = discovery.client.deregister({ id: "user-1", name: "order" });
  await expect(misnamed).rejects.toMatchObject({ code: Code.InvalidArgument });
  expect(await resolved(discovery)).toEqual(["user-1"]);
  await discovery.client.deregister({ id: "user-1", name: "user" });
  await discovery.client.deregister({ id: "user-1", name: "user" });
  expect(await resolved(discovery)).toEqual([]);
  await discovery.clock.advance(60_000);
  expect(discovery.registry.all()).toEqual([]);
});

test("a watch tells a snapshot, then the coming and going of instances, and is gone when its client is", async () => {
  await using discovery = await openTestDiscovery();
  const cancel = new AbortController();
  const steps = discovery.client.watch({ service: "user" }, { signal: cancel.signal })[Symbol.asyncIterator]();
  const next = async () => (await steps.next()).value?.event;
  expect(await next()).toMatchObject({ case: "snapshot", value: { instances: [] } });
  await discovery.client.register({ instance: testInstance() });
  expect(await next()).toMatchObject({ case: "delta", value: { changed: [{ id: "user-1" }], removedIds: [] } });
  await discovery.client.deregister({ id: "user-1" });
  expect(await next()).toMatchObject({ case: "delta", value: { changed: [], removedIds: ["user-1"] } });
  expect(discovery.registry.listeners).toBe(1);
  const last = steps.next();
  cancel.abort();
  await expect(last).rejects.toMatchObject({ code: Code.Canceled });
  await discovery.clock.advance(0);
  expect(discovery.registry.listeners).toBe(0);
});

test("when discovery goes, its streams end and no lease lapses for it", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const stream = keepAlive(discovery);
  await stream.renew("user-1");
  const steps = discovery.client.watch({})[Symbol.asyncIterator]();
  await steps.next();
  const ended = steps.next();
  discovery.endStreams();
  expect(await ended).toMatchObject({ done: true });
  await discovery.clock.advance(60_000);
  expect(await resolved(discovery)).toEqual(["user-1"]);
});

test("services are listed by name, page by page, with all their instances", async () => {
  await using discovery = await openTestDiscovery();
  for (const [port, name] of ["user", "order", "user", "catalog"].entries()) {
    await discovery.client.register({ instance: testInstance({ id: `${name}-${port}`, name, port: port + 1 }) });
  }
  const first = await discovery.client.listServices({ pageSize: 2 });
  expect(first.services.map(({ name }) => name)).toEqual(["catalog", "order"]);
  const second = await discovery.client.listServices({ pageSize: 2, pageToken: first.nextPageToken });
  expect(second.services.map(({ name, instances }) => [name, instances.map(({ id }) => id)])).toEqual([
    ["user", ["user-0", "user-2"]],
  ]);
  expect(second.nextPageToken).toBe("");
  const garbled = discovery.client.listServices({ pageToken: "garbled" });
  await expect(garbled).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("a service is found by its name and by what it serves, and by nothing else", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance() });
  for (const name of ["user", "shop.user.v1.UserService"]) {
    const { service } = await discovery.client.getService({ name });
    expect(service).toMatchObject({ name: "user", status: Status.HEALTHY, instances: [{ id: "user-1" }] });
  }
  const other = discovery.client.getService({ name: "order" });
  await expect(other).rejects.toMatchObject({ code: Code.NotFound, message: expect.stringContaining("order") });
});

test("a Protobuf service that two names serve is one service under the name that was asked for", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance({ id: "b", name: "old-user", port: 1 }) });
  await discovery.client.register({ instance: testInstance({ id: "a", name: "user", port: 2 }) });
  const { service } = await discovery.client.getService({ name: "shop.user.v1.UserService" });
  expect(service?.name).toBe("shop.user.v1.UserService");
  expect(service?.instances.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("what cannot be written is not acknowledged and not handed out", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.client.register({ instance: testInstance() });
  await discovery.store[Symbol.asyncDispose]();
  const refused = discovery.client.register({ instance: testInstance({ id: "user-2", port: 8011 }) });
  await expect(refused).rejects.toMatchObject({ code: Code.Unavailable });
  await expect(discovery.client.deregister({ id: "user-1" })).rejects.toMatchObject({ code: Code.Unavailable });
  expect(await resolved(discovery)).toEqual(["user-1"]);
});
