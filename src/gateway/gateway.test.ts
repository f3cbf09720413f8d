import { connect, createServer } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test, vi } from "vitest";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../base/log.ts";
import { openMesh } from "../mesh/mesh.ts";
import { annService, openShop, openTown, transportsTo, until } from "../test/suites/gateway-parts.ts";
import { openGateway } from "./gateway.ts";
import { readFiles } from "./routes/descriptors.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** `/health` as it is now. */
async function health(url: string): Promise<Record<string, never>> {
  return (await (await fetch(`${url}/health`)).json()) as Record<string, never>;
}

test("a service that registers is routed without a restart, over every protocol", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  expect((await fetch(`${url}/v1/users/1`)).status).toBe(404);

  await using _users = await town.join("user", [[UserService, annService()]]);
  const answer = await until(
    () => fetch(`${url}/v1/users/1`),
    ({ status }) => status === 200,
  );
  expect(await answer.json()).toMatchObject({ id: "1", name: "Ann" });
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    const { user } = await createClient(UserService, transport).getUser({ id: 1n });
    expect([protocol, user?.name]).toEqual([protocol, "Ann"]);
  }
});

test("a service that has gone stays routed: 503 at once, and /health says that it is unavailable", async () => {
  await using shop = await openShop();
  expect(await health(shop.url)).toMatchObject({ services: { user: { status: "healthy" } } });
  await shop.users.drain();
  const answer = await until(
    () => fetch(`${shop.url}/v1/users/1`),
    ({ status }) => status !== 200,
  );
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: Code.Unavailable, details: [{ reason: "NO_ENDPOINT" }] });
  for (const [, transport] of transportsTo(shop.gateway.port)) {
    const call = createClient(UserService, transport).getUser({ id: 1n });
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  }
  const page = await until(
    () => health(shop.url),
    (told) => JSON.stringify(told).includes('"status":"unavailable","routes":["shop.user.v1.UserService"]'),
  );
  expect(page).toMatchObject({ status: "healthy", services: { user: { instances: [] } } });

  await using _back = await shop.town.join("user", [[UserService, annService()]]);
  await until(
    () => fetch(`${shop.url}/v1/users/1`),
    ({ status }) => status === 200,
  );
});

test("/health tells of the gateway, of discovery, and of every instance", async () => {
  await using shop = await openShop();
  const answer = await fetch(`${shop.url}/health`);
  expect(answer.status).toBe(200);
  const page = await until(
    () => health(shop.url),
    (told) => JSON.stringify(told).includes('"gateway":{'),
  );
  expect(page).toMatchObject({
    status: "healthy",
    service: "gateway",
    version: "1",
    discovery: { status: "healthy" },
    services: {
      discovery: { status: "healthy", routes: [] },
      gateway: { routes: [] },
      user: {
        status: "healthy",
        routes: [UserService.typeName],
        instances: [
          {
            address: `127.0.0.1:${shop.users.port}`,
            status: "healthy",
            version: "1",
            last_check: expect.stringMatching(/Z$/),
          },
        ],
      },
    },
  });
  expect(page).not.toHaveProperty("refused");
  expect((await fetch(`${shop.url}/health`, { method: "HEAD" })).status).toBe(200);
  const post = await fetch(`${shop.url}/health`, { method: "POST" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("discovery being away is told, and calls go on", async () => {
  const town = await openTown();
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  const served = () => fetch(`${url}/v1/users/1`);
  await until(served, ({ status }) => status === 200);
  await town[Symbol.asyncDispose]();
  const page = await until(
    () => health(url),
    (told) => JSON.stringify(told).includes("what it said last"),
  );
  expect(page).toMatchObject({ status: "healthy", discovery: { status: "unavailable" }, services: { user: {} } });
  expect((await served()).status).toBe(200);
});

test("a gateway that starts before discovery finds it once it is there", async () => {
  const port = await freePort();
  const opening = openGateway({ port: 0, discovery: `127.0.0.1:${port}`, signals: false, log: silentLogger });
  await using town = await openTown(port);
  await using gateway = await opening;
  await using _users = await town.join("user", [[UserService, annService()]]);
  await until(
    () => fetch(`http://127.0.0.1:${gateway.port}/v1/users/1`),
    ({ status }) => status === 200,
  );
});

test("the gateway describes by reflection what it routes, as a service would", async () => {
  await using shop = await openShop();
  const transport = createGrpcTransport({ baseUrl: shop.url });
  const files = await readFiles(transport, UserService.typeName, new AbortController().signal);
  expect(files.contract(UserService.typeName, "x").service.methods).toHaveLength(UserService.methods.length);
  const { status } = await createClient(Health, transport).check({});
  expect(status).toBe(1);
});

test("a second service joins those that are routed", async () => {
  await using shop = await openShop();
  const orders = { getOrder: ({ id }: { id: string }) => ({ order: { id, userId: 1n } }) };
  await using _orders = await shop.town.join("order", [[OrderService, orders]]);
  const answer = await until(
    () => fetch(`${shop.url}/v1/orders/o-1`),
    ({ status }) => status === 200,
  );
  expect(await answer.json()).toMatchObject({ id: "o-1", userId: "1" });
  expect((await fetch(`${shop.url}/api/users/1`)).status).toBe(200);
});

test("discovery is not reached by the gateway: nobody says at the door what is routed behind it", async () => {
  await using shop = await openShop();
  expect((await fetch(`${shop.url}/v1/users/1`)).status).toBe(200);
  expect((await fetch(`${shop.url}/v1/services`)).status).toBe(404);
  const rpc = createClient(DiscoveryService, createConnectTransport({ baseUrl: shop.url, httpVersion: "1.1" }));
  await expect(rpc.deregister({ id: "user" })).rejects.toMatchObject({ code: Code.Unimplemented });
});

test("a gateway is itself registered, and gone from discovery after its drain", async () => {
  await using town = await openTown();
  const gateway = await town.gateway();
  const names = () => town.registry.all().map(({ instance }) => instance.name);
  await until(names, (all) => all.includes("gateway"));
  await gateway.drain();
  expect(names()).not.toContain("gateway");
  await gateway.drained;
  expect(await reachable(gateway.port)).toBe(false);
  await using mesh = await openMesh({ discovery: town.address });
  expect((await mesh.client(DiscoveryService).listServices({})).services.map(({ name }) => name)).toEqual([
    "discovery",
  ]);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
