import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../base/log.ts";
import { openServer, type ServerOptions } from "../server/serve.ts";
import { selfSigned } from "../testing/certificate.ts";
import { contract } from "../testing/contract.ts";
import { scriptedDiscovery } from "../testing/scripted-discovery.ts";
import { type Mesh, openMesh } from "./mesh.ts";
import { staticResolver } from "./resolve/static.ts";

const never = () => new Promise<never>(() => {});
const aUser = { user: { id: 1n, name: "Ada" } };
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** What the inner of two services is told of a call made on behalf of another. */
interface Told {
  readonly timeoutMs: number | undefined;
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
}

/**
 * Two services on ports of their own: orders, whose handlers ask for users over a mesh and pass on nothing by hand, and
 * users, which tell what came with the call.
 */
async function openTwo(getUser: () => Promise<object> = async () => aUser) {
  const told: Told[] = [];
  await using opened = new AsyncDisposableStack();
  const inner = opened.use(
    await openServer({
      services: [
        [
          UserService,
          {
            getUser: (
              _: unknown,
              context: { timeoutMs(): number | undefined; requestHeader: Headers; signal: AbortSignal },
            ) => {
              const { requestHeader, signal } = context;
              told.push({ timeoutMs: context.timeoutMs(), traceparent: requestHeader.get("traceparent"), signal });
              return getUser();
            },
          },
        ],
      ],
    }),
  );
  const inside = opened.use(await meshTo({ [UserService.typeName]: inner.port }));
  const users = inside.client(UserService);
  const orders: ServerOptions["services"][number] = [
    OrderService,
    {
      getOrder: async () => {
        const { user } = await users.getUser({ id: 1n });
        return { order: { userId: user?.id } };
      },
      async *watchOrder() {
        for (;;) {
          const { user } = await users.getUser({ id: 1n });
          yield { order: { userId: user?.id } };
        }
      },
    },
  ];
  const outer = opened.use(await openServer({ services: [orders] }));
  const outside = opened.use(await meshTo({ [OrderService.typeName]: outer.port }));
  const stack = opened.move();
  return { told, orders: outside.client(OrderService), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function meshTo(ports: Readonly<Record<string, number>>): Promise<Mesh> {
  const addresses = Object.entries(ports).map(([service, port]) => [service, [`127.0.0.1:${port}`]] as const);
  return openMesh({ resolver: staticResolver(Object.fromEntries(addresses)), log: silentLogger });
}

test("a nested call inherits deadline and trace, though its handler passes on nothing", async () => {
  await using two = await openTwo();
  await two.orders.getOrder({ id: "a" }, { timeoutMs: 300, headers: { traceparent } });
  expect(two.told[0]?.traceparent).toBe(traceparent);
  expect(two.told[0]?.timeoutMs).toBeGreaterThan(0);
  expect(two.told[0]?.timeoutMs).toBeLessThanOrEqual(300);
});

test("a nested call of a streaming handler inherits them too, after each message", async () => {
  await using two = await openTwo();
  let messages = 0;
  const options = { timeoutMs: 5_000, headers: { traceparent }, signal: new AbortController().signal };
  const leave = new AbortController();
  for await (const _ of two.orders.watchOrder({ id: "a" }, { ...options, signal: leave.signal })) {
    if (++messages === 3) break;
  }
  leave.abort();
  expect(two.told.length).toBeGreaterThanOrEqual(3);
  for (const one of two.told) {
    expect(one.traceparent).toBe(traceparent);
    expect(one.timeoutMs).toBeLessThanOrEqual(400); // its own contract's share for one attempt
  }
});

test("when the caller leaves, the nested call is cancelled at its own server", async () => {
  await using two = await openTwo(never);
  const leave = new AbortController();
  const call = two.orders.getOrder({ id: "a" }, { signal: leave.signal }).catch(ConnectError.from);
  await vi.waitFor(() => expect(two.told).toHaveLength(1));
  leave.abort();
  expect(await call).toMatchObject({ code: Code.Canceled });
  await vi.waitFor(() => expect(two.told[0]?.signal.aborted).toBe(true));
});

test("when the outer deadline passes, the caller is told so in time, though the inner service hangs", async () => {
  await using two = await openTwo(never);
  const before = performance.now();
  await expect(two.orders.getOrder({ id: "a" }, { timeoutMs: 60 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
  expect(performance.now() - before).toBeLessThan(1_000);
});

test("discovery finds endpoints by the service's name; spaces between its addresses do no harm", async () => {
  await using users = await openServer({ services: [[UserService, { getUser: () => aUser }]] });
  const script = scriptedDiscovery();
  await using discovery = await openServer({ services: [[DiscoveryService, script.implementation]] });
  await using mesh = await openMesh({ discovery: ` 127.0.0.1:1 , 127.0.0.1:${discovery.port}`, log: silentLogger });
  const call = mesh.client(UserService).getUser({ id: 1n });
  await vi.waitFor(() => expect(script.watches).toHaveLength(1));
  const instances = [{ id: "a", name: "user", host: "127.0.0.1", port: users.port }];
  script.watches[0]?.send({ version: 1n, event: { case: "snapshot", value: { instances } } });
  expect((await call).user?.name).toBe("Ada");
  expect(script.watches[0]?.service).toBe("shop.user.v1.UserService");
});

test("discovery itself is not looked up in discovery", async () => {
  const script = scriptedDiscovery();
  await using server = await openServer({ services: [[DiscoveryService, script.implementation]] });
  await using mesh = await openMesh({ discovery: `127.0.0.1:${server.port}`, log: silentLogger });
  await mesh.client(DiscoveryService).deregister({ id: "a" });
  expect(script.told).toEqual(["deregister a"]);
  expect(script.watches).toEqual([]);
});

test("a replica that drains under calls costs none of them", { timeout: 20_000 }, async () => {
  const replica = () => openServer({ services: [[UserService, { getUser: () => aUser, createUser: () => aUser }]] });
  await using staying = await replica();
  const leaving = await replica();
  const addresses = [staying, leaving].map(({ port }) => `127.0.0.1:${port}`);
  await using mesh = await openMesh({
    resolver: staticResolver({ [UserService.typeName]: addresses }),
    log: silentLogger,
  });
  const users = mesh.client(UserService);
  const failed: unknown[] = [];
  let over = false;
  const caller = async (turn: number) => {
    while (!over) {
      const call = turn % 2 === 0 ? users.getUser({ id: 1n }) : users.createUser({ name: "Ada", email: "a@b.cd" });
      await call.catch((reason) => failed.push(reason));
    }
  };
  const callers = Array.from({ length: 4 }, (_, turn) => caller(turn));
  for (let call = 0; call < 10; call++) await users.getUser({ id: 1n });
  await leaving.drain(5_000);
  for (let call = 0; call < 10; call++) await users.getUser({ id: 1n });
  over = true;
  await Promise.all(callers);
  expect(failed).toEqual([]);
});

test("a contract that contradicts itself is refused at its first call", async () => {
  const service = contract([{ name: "Do", policy: { timeout: { seconds: -1n } } }]);
  await using mesh = await openMesh({ resolver: staticResolver({}), log: silentLogger });
  const client = mesh.client(service) as unknown as Record<string, (request: object) => Promise<unknown>>;
  await expect(client.do?.({})).rejects.toMatchObject({ message: expect.stringContaining("timeout is not positive") });
});

test("an endpoint that is written down with https:// is called over TLS, by the authority that the mesh is told of", async () => {
  const tls = selfSigned();
  const services = [[UserService, { getUser: () => aUser }]] as const;
  await using server = await openServer({ services, tls });
  const resolver = staticResolver({ [UserService.typeName]: [`https://127.0.0.1:${server.port}`] });
  await using mesh = await openMesh({ resolver, endpointTls: { ca: tls.cert } });
  expect((await mesh.client(UserService).getUser({ id: 1n })).user?.name).toBe("Ada");
  await using stranger = await openMesh({ resolver, log: silentLogger });
  await expect(stranger.client(UserService).getUser({ id: 1n })).rejects.toMatchObject({ code: Code.Unavailable });
});
