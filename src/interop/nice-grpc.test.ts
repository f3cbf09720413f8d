import { Code } from "@connectrpc/connect";
import { ClientError, Status } from "nice-grpc";
import { expect, expectTypeOf, test } from "vitest";
import { OrderService, type WatchOrderResponse } from "../../gen/shop/order/v1/order_pb.ts";
import { type GetUserResponse, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { openServer } from "../server/serve.ts";
import { askService } from "../test/suites/asked-contract.ts";
import { MovedResolver, openUserReplicas } from "../test/suites/user-replicas.ts";
import { openTestServer } from "../testing/open-server.ts";
import { registerHeddleResolver } from "./grpc-js.ts";
import { createNiceClient, niceCallOptionsOf, niceDefinitionOf } from "./nice-grpc.ts";

test("the user contract becomes exactly these call options", () => {
  const repeats = { retryBaseDelayMs: 25, retryMaxDelayMs: 250 };
  const once = { retry: false, retryMaxAttempts: 0, ...repeats };
  expect(niceCallOptionsOf(UserService)).toMatchObject({
    listUsers: {
      deadline: 2_000,
      retry: true,
      retryMaxAttempts: 2,
      ...repeats,
      retryableStatuses: [Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED], // attempts have 900 ms each
    },
    getUser: {
      deadline: 1_000,
      retry: true,
      retryMaxAttempts: 2,
      ...repeats,
      retryableStatuses: [Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED], // attempts have 400 ms each
    },
    createUser: { deadline: 2_000, ...once },
    updateUser: { deadline: 2_000, ...once },
    deleteUser: { deadline: 2_000, ...once },
  });
});

test("calls go to every replica, and to one that comes later", async () => {
  await using replicas = await openUserReplicas(2);
  const [first = "", second = ""] = replicas.addresses;
  const resolver = new MovedResolver(UserService, [first]);
  await using client = await createNiceClient(UserService, { resolver });
  expect((await client.getUser({ id: 42n })).user).toMatchObject({ id: 42n, name: first });
  resolver.move(first, second);
  const answered = new Set<string>();
  for (let call = 0; call < 1_000 && answered.size < 2; call++) {
    answered.add((await client.getUser({ id: 1n })).user?.name ?? "");
  }
  expect(answered).toEqual(new Set([first, second]));
});

test("UNAVAILABLE is asked again as often as the contract says, by the middleware alone", async () => {
  await using replicas = await openUserReplicas(2);
  await using client = await openClient(replicas.addresses);
  const retried: number[] = [];
  const onRetryableError = (_: ClientError, attempt: number) => void retried.push(attempt);
  replicas.failures.push(Code.Unavailable, Code.Unavailable);
  expect(replicas.addresses).toContain((await client.getUser({ id: 1n }, { onRetryableError })).user?.name);
  expect(replicas.asked.getUser).toBe(3);
  replicas.failures.push(Code.Unavailable, Code.Unavailable, Code.Unavailable, Code.Unavailable);
  await expect(client.getUser({ id: 1n }, { onRetryableError })).rejects.toMatchObject({ code: Status.UNAVAILABLE });
  expect(replicas.asked.getUser).toBe(6); // and not nine: the channel does not repeat as well
  expect(retried).toEqual([0, 1, 0, 1]);
});

test("what is not safe to repeat is asked once", async () => {
  await using replicas = await openUserReplicas(1);
  await using client = await openClient(replicas.addresses);
  replicas.failures.push(Code.Unavailable);
  const created = client.createUser({ name: "Ada", email: "ada@example.org" });
  await expect(created).rejects.toMatchObject({ code: Status.UNAVAILABLE });
  expect(replicas.asked.createUser).toBe(1);
});

test("an attempt that gets no answer in its own time is followed by another", async () => {
  await using replicas = await openUserReplicas(1);
  await using client = await openClient(replicas.addresses);
  replicas.failures.push(undefined);
  expect((await client.getUser({ id: 1n })).user?.name).toBe(replicas.addresses[0]);
  expect(replicas.asked.getUser).toBe(2);
});

test("all attempts share the one deadline, and a caller may shorten it", async () => {
  let asked = 0;
  const service = askService({
    timeout: { nanos: 900_000_000 },
    retry: { maxAttempts: 5, perAttemptTimeout: { nanos: 300_000_000 } },
  });
  const ask = (_: unknown, { signal }: { signal: AbortSignal }) => {
    asked++;
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  await using server = await openServer({ services: [[service, { ask }]] });
  const resolver = new MovedResolver(service, [`127.0.0.1:${server.port}`]);
  await using client = await createNiceClient(service, { resolver });
  await expect(client.ask?.({ value: "" })).rejects.toMatchObject({ code: Status.DEADLINE_EXCEEDED });
  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(5);
  asked = 0;
  await expect(client.ask?.({ value: "" }, { deadline: 150 })).rejects.toThrow(ClientError);
  expect(asked).toBeLessThan(2);
});

test("streams arrive as they do in Connect", async () => {
  const resolver = (address: string) => new MovedResolver(OrderService, [address]);
  async function* watchOrder() {
    yield { order: { id: "a" } };
    yield { order: { id: "b" } };
  }
  await using server = await openTestServer([[OrderService, { watchOrder }]]);
  await using client = await createNiceClient(OrderService, { resolver: resolver(server.address) });
  const ids: (string | undefined)[] = [];
  for await (const { order } of client.watchOrder({ id: "a" })) ids.push(order?.id);
  expect(ids).toEqual(["a", "b"]);
});

test("without a source of its own a client resolves as registered", async () => {
  await using replicas = await openUserReplicas(1);
  await using _ = await registerHeddleResolver({ resolver: new MovedResolver(UserService, replicas.addresses) });
  await using client = await createNiceClient(UserService);
  expect((await client.getUser({ id: 1n })).user?.name).toBe(replicas.addresses[0]);
});

test("a closed client follows nothing any more", async () => {
  await using replicas = await openUserReplicas(1);
  const resolver = new MovedResolver(UserService, replicas.addresses);
  {
    await using client = await createNiceClient(UserService, { resolver });
    await client.getUser({ id: 1n });
    expect(resolver.followers).toBe(1);
  }
  expect(resolver.followers).toBe(0);
});

test("methods are typed as in Connect", async () => {
  await using client = await openClient([]);
  expectTypeOf(client.getUser).parameter(0).toExtend<{ id?: bigint }>();
  expectTypeOf(client.getUser).returns.resolves.toEqualTypeOf<GetUserResponse>();
  await using orders = await createNiceClient(OrderService, { resolver: new MovedResolver(OrderService, []) });
  expectTypeOf(orders.watchOrder).returns.toEqualTypeOf<AsyncIterable<WatchOrderResponse>>();
  expect(niceDefinitionOf(UserService).getUser.path).toBe("/shop.user.v1.UserService/GetUser");
});

function openClient(addresses: readonly string[]) {
  return createNiceClient(UserService, { resolver: new MovedResolver(UserService, addresses) });
}
