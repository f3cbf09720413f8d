import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  type Client,
  credentials,
  type MethodDefinition,
  makeClientConstructor,
  Server,
  ServerCredentials,
  status,
} from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { OrderService, WatchOrderRequestSchema, type WatchOrderResponse } from "../../gen/shop/order/v1/order_pb.ts";
import { type GetUserResponse, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../app/run.ts";
import { silentLogger } from "../base/log.ts";
import { openServer } from "../server/serve.ts";
import { askService } from "../test/suites/asked-contract.ts";
import { openTestDiscovery } from "../test/suites/discovery-parts.ts";
import { MovedResolver, openUserReplicas } from "../test/suites/user-replicas.ts";
import { openTestServer } from "../testing/open-server.ts";
import { heddleTarget, registerHeddleResolver, serviceDefinitionOf } from "./grpc-js.ts";
import { bareConfig, serviceConfigFor } from "./service-config.ts";
import { openSource } from "./source.ts";

const users = serviceDefinitionOf(UserService);
const clients: Client[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

test("calls go to every replica in turn", async () => {
  await using replicas = await openUserReplicas(2);
  await using _ = await registerHeddleResolver({ resolver: new MovedResolver(UserService, replicas.addresses) });
  const client = openClient();
  await untilAnsweredBy(client, replicas.addresses);
  const names = await inTurn(10, () => nameFrom(client));
  expect(replicas.addresses.map((address) => names.filter((name) => name === address).length)).toEqual([5, 5]);
});

test("a replica that comes is called, one that goes is left alone", async () => {
  await using replicas = await openUserReplicas(2);
  const [first = "", second = ""] = replicas.addresses;
  const resolver = new MovedResolver(UserService, [first]);
  await using _ = await registerHeddleResolver({ resolver });
  const client = openClient();
  expect(new Set(await inTurn(4, () => nameFrom(client)))).toEqual(new Set([first]));
  resolver.move(first, second);
  await untilAnsweredBy(client, [first, second]);
  resolver.move(second);
  expect(new Set(await inTurn(4, () => nameFrom(client)))).toEqual(new Set([second]));
});

test("without endpoints calls fail at once and say why; when one comes they go through", async () => {
  await using replicas = await openUserReplicas(1);
  const resolver = new MovedResolver(UserService, []);
  await using _ = await registerHeddleResolver({ resolver });
  const client = openClient();
  const failed = {
    code: status.UNAVAILABLE,
    details: expect.stringContaining("no endpoint of shop.user.v1.UserService"),
  };
  await expect(nameFrom(client)).rejects.toMatchObject(failed);
  resolver.set({ kind: "last-known", endpoints: [], problem: "connection refused" });
  resolver.move(...replicas.addresses);
  expect(await nameFrom(client)).toBe(replicas.addresses[0]);
  resolver.move();
  await expect(nameFrom(client)).rejects.toMatchObject(failed);
});

test("while nothing is known yet a call waits", async () => {
  await using replicas = await openUserReplicas(1);
  const resolver = new MovedResolver(UserService);
  await using _ = await registerHeddleResolver({ resolver });
  const answer = nameFrom(openClient());
  resolver.move(...replicas.addresses);
  expect(await answer).toBe(replicas.addresses[0]);
});

test("an address that is none is reported, and not thrown at the resolver", async () => {
  await using _ = await registerHeddleResolver({ resolver: new MovedResolver(UserService, ["nonsense"]) });
  const failed = { code: status.UNAVAILABLE, details: expect.stringContaining('"nonsense" is no host:port') };
  await expect(nameFrom(openClient())).rejects.toMatchObject(failed);
});

test("a closed client follows nothing any more", async () => {
  await using replicas = await openUserReplicas(1);
  const resolver = new MovedResolver(UserService, replicas.addresses);
  await using _ = await registerHeddleResolver({ resolver });
  const client = openClient();
  await nameFrom(client);
  expect(resolver.followers).toBe(1);
  client.close();
  expect(resolver.followers).toBe(0);
});

test("UNAVAILABLE is asked again as often as the contract says", async () => {
  await using replicas = await openUserReplicas(2);
  await using _ = await registerUsers(replicas.addresses);
  const client = openClient();
  replicas.failures.push(Code.Unavailable, Code.Unavailable);
  expect(replicas.addresses).toContain(await nameFrom(client));
  expect(replicas.asked.getUser).toBe(3);
  replicas.failures.push(Code.Unavailable, Code.Unavailable, Code.Unavailable, Code.Unavailable);
  await expect(nameFrom(client)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(replicas.asked.getUser).toBe(6);
});

test("other codes, and methods that are not safe to repeat, are asked once", async () => {
  await using replicas = await openUserReplicas(2);
  await using _ = await registerUsers(replicas.addresses);
  const client = openClient();
  replicas.failures.push(Code.Internal);
  await expect(nameFrom(client)).rejects.toMatchObject({ code: status.INTERNAL });
  expect(replicas.asked.getUser).toBe(1);
  replicas.failures.push(Code.Unavailable);
  const created = call(client, users.createUser, { name: "Ada", email: "ada@example.org" });
  await expect(created).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(replicas.asked.createUser).toBe(1);
});

test("a channel that turns off resolved configs keeps its own", async () => {
  await using replicas = await openUserReplicas(1);
  await using _ = await registerUsers(replicas.addresses);
  const client = openClient({ "grpc.service_config_disable_resolution": 1 });
  replicas.failures.push(Code.Unavailable);
  await expect(nameFrom(client)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(replicas.asked.getUser).toBe(1);
});

test("the contract's deadline ends a call that gets no answer", async () => {
  await using replicas = await openUserReplicas(1);
  await using _ = await registerUsers(replicas.addresses);
  replicas.failures.push(undefined);
  await expect(nameFrom(openClient())).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(replicas.asked.getUser).toBe(1);
});

test("a definition made by others resolves just as well", async () => {
  await using replicas = await openUserReplicas(1);
  await using _ = await registerHeddleResolver({ resolver: new MovedResolver(UserService, replicas.addresses) });
  const raw = { requestSerialize: (bytes: Buffer) => bytes, responseDeserialize: (bytes: Buffer) => bytes };
  const getUser = { ...users.getUser, ...raw } as unknown as MethodDefinition<Buffer, Buffer>;
  const answer = await call(openClient(), getUser, Buffer.from([0x08, 42]));
  expect(users.getUser.responseDeserialize(answer).user?.id).toBe(42n);
});

test("a definition serves too, and streams", async () => {
  const server = new Server();
  server.addService(serviceDefinitionOf(OrderService), {
    watchOrder(stream: { write(message: object): void; end(): void }) {
      stream.write({ order: { id: "a" } });
      stream.write({ order: { id: "b" } });
      stream.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  try {
    const { watchOrder } = serviceDefinitionOf(OrderService);
    const Orders = makeClientConstructor({ watchOrder }, OrderService.typeName);
    const client: Client = new Orders(`127.0.0.1:${port}`, credentials.createInsecure());
    clients.push(client);
    const ids: (string | undefined)[] = [];
    const { path, requestSerialize, responseDeserialize } = watchOrder;
    const stream: AsyncIterable<WatchOrderResponse> = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(WatchOrderRequestSchema, { id: "a" }),
    );
    for await (const { order } of stream) ids.push(order?.id);
    expect(ids).toEqual(["a", "b"]);
  } finally {
    server.forceShutdown();
  }
});

test("registering the same resolver twice is registering it once; after closing, no client is made", async () => {
  await using replicas = await openUserReplicas(1);
  const resolver = new MovedResolver(UserService, replicas.addresses);
  const first = await registerHeddleResolver({ resolver });
  const second = await registerHeddleResolver({ resolver, services: [UserService] });
  expect(await nameFrom(openClient())).toBe(replicas.addresses[0]);
  await first[Symbol.asyncDispose]();
  expect(() => openClient()).toThrow("registerHeddleResolver");
  await second[Symbol.asyncDispose]();
});

test("contracts that are registered later count for clients made later", async () => {
  await using source = await openSource({ resolver: new MovedResolver(UserService, []) });
  expect(source.configOf(UserService.typeName)).toEqual(bareConfig);
  source.describe([UserService]);
  expect(source.configOf(UserService.typeName)).toEqual(serviceConfigFor(UserService));
});

test("what discovery knows is called, and no longer once it is gone", async () => {
  await using discovery = await openTestDiscovery();
  await using registry = await openTestServer([[DiscoveryService, discovery.discovery]]);
  const options = { name: "user", discovery: registry.address, signals: false, log: silentLogger };
  const served = await serve({
    ...options,
    services: [[UserService, { getUser: () => ({ user: { name: "found" } }) }]],
  });
  await discovery.clock.advance(1_000); // its first check
  await using _ = await registerHeddleResolver({ discovery: registry.address, services: [UserService] });
  const client = openClient();
  expect(await nameFrom(client)).toBe("found");
  await served.drain();
  await expect(nameFrom(client)).rejects.toMatchObject({ details: expect.stringContaining("no endpoint of") });
  discovery.endStreams();
});

test("a hedge goes out when the first attempt is slow", async () => {
  let asked = 0;
  const service = askService({ hedge: { after: { case: "afterDelay", value: { nanos: 20_000_000 } }, maxExtra: 1 } });
  const ask = () => (++asked === 1 ? new Promise(() => {}) : { value: "second" });
  await using server = await openServer({ services: [[service, { ask }]] });
  const resolver = new MovedResolver(service, [`127.0.0.1:${server.port}`]);
  await using _ = await registerHeddleResolver({ resolver, services: [service] });
  const Ask = makeClientConstructor(serviceDefinitionOf(service), service.typeName);
  const client: Client = new Ask(heddleTarget(service), credentials.createInsecure());
  clients.push(client);
  const { ask: method } = serviceDefinitionOf(service);
  if (method === undefined) throw new Error("the method is lost");
  expect(await call(client, method, {})).toMatchObject({ value: "second" });
  expect(asked).toBe(2);
});

test("clients keep to the resolver that was registered when they were made", async () => {
  await using one = await openUserReplicas(1);
  await using other = await openUserReplicas(1);
  await using _one = await registerUsers(one.addresses);
  const early = openClient();
  await using _other = await registerUsers(other.addresses);
  const late = openClient();
  expect([await nameFrom(early), await nameFrom(late)]).toEqual([one.addresses[0], other.addresses[0]]);
});

test("a host's name and an IPv6 address are reached", async () => {
  const answers = { getUser: () => ({ user: { name: "v6" } }) };
  await using v6 = await openTestServer([[UserService, answers]], { host: "::1" });
  await using _v6 = await registerUsers([`[::1]:${v6.port}`]);
  expect(await nameFrom(openClient())).toBe("v6");
  await using named = await openTestServer([[UserService, answers]]);
  await using _named = await registerUsers([`localhost:${named.port}`]);
  expect(await nameFrom(openClient())).toBe("v6");
});

test("a target that names no service is refused", async () => {
  await using _ = await registerUsers([]);
  const Users = makeClientConstructor(users, UserService.typeName);
  expect(() => new Users("heddle:///a/b", credentials.createInsecure())).toThrow("no service's name");
});

function registerUsers(addresses: readonly string[]) {
  return registerHeddleResolver({ resolver: new MovedResolver(UserService, addresses), services: [UserService] });
}

function openClient(options = {}): Client {
  const Users = makeClientConstructor(users, UserService.typeName);
  const client = new Users(heddleTarget(UserService), credentials.createInsecure(), options);
  clients.push(client);
  return client;
}

function call<I, O>(client: Client, method: MethodDefinition<I, O>, request: unknown): Promise<O> {
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request as I, (error, answer) =>
      error || answer === undefined ? reject(error) : resolve(answer),
    );
  });
}

async function nameFrom(client: Client): Promise<string | undefined> {
  const { user }: GetUserResponse = await call(client, users.getUser, { id: 42n });
  return user?.name;
}

async function inTurn<T>(times: number, ask: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let time = 0; time < times; time++) answers.push(await ask());
  return answers;
}

/** Connections open while calls go on: asks until each of the replicas has answered. */
async function untilAnsweredBy(client: Client, addresses: readonly string[]): Promise<void> {
  const silent = new Set(addresses);
  for (let call = 0; call < 1_000 && silent.size > 0; call++) silent.delete((await nameFrom(client)) ?? "");
  expect([...silent]).toEqual([]);
}
