import { Code } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../base/log.ts";
import { openMesh } from "../mesh/mesh.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import { openServer } from "../server/serve.ts";
import { scriptedDiscovery } from "../testing/scripted-discovery.ts";
import { type ServeOptions, serve } from "./run.ts";

const users = [UserService, { getUser: () => ({ user: { id: 1n, name: "Ada" } }) }] as const;
const alone = {
  name: "user",
  version: "1.2.3",
  services: [users],
  port: 0,
  adminPort: 0,
  discovery: false,
  signals: false,
  log: silentLogger,
} as const satisfies ServeOptions<readonly [typeof UserService]>;

const page = async (port: number | undefined, path: string, init?: RequestInit) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return [answer.status, await answer.text()] as const;
};

/** A discovery on a port, played by the test. */
async function openScripted() {
  const script = scriptedDiscovery();
  const server = await openServer({ services: [[DiscoveryService, script.implementation]] });
  const close = () => server[Symbol.asyncDispose]();
  return { ...script, told: script.told, address: `127.0.0.1:${server.port}`, [Symbol.asyncDispose]: close };
}

test("the pages for machines tell that it lives, that it is ready, and what it counted", async () => {
  await using server = await serve(alone);
  expect(await page(server.adminPort, "/healthz")).toEqual([200, '{"status":"alive"}']);
  expect(await page(server.adminPort, "/readyz")).toEqual([200, '{"status":"ready"}']);
  await page(server.port, "/v1/users/1");
  const [, metrics] = await page(server.adminPort, "/metrics");
  expect(metrics).toMatch(/heddle_server_calls_total\{.*method="GetUser",code="OK".*\} 1/);
  expect(metrics).toMatch(/process_cpu_user_seconds_total\{service="user"\}/);
  expect((await page(server.adminPort, "/nothing"))[0]).toBe(404);
});

test("the pages for machines tell what became of the calls of the process, by trace or the latest of them", async () => {
  await using server = await serve(alone);
  await using mesh = await openMesh({ resolver: staticResolver({}), log: silentLogger });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const call = mesh.client(UserService).createUser({ name: "Ada", email: "a@b.cd" }, { headers: { traceparent } });
  await expect(call).rejects.toMatchObject({ code: Code.Unavailable });

  const [status, found] = await page(server.adminPort, "/calls?trace=0af7651916cd43dd8448eb211c80319c");
  expect(status).toBe(200);
  expect(JSON.parse(found)).toMatchObject([{ method: "shop.user.v1.UserService/CreateUser", outcome: "UNAVAILABLE" }]);
  expect(JSON.parse((await page(server.adminPort, `/calls?trace=${traceparent}`))[1])).toHaveLength(1);
  expect(await page(server.adminPort, "/calls?trace=ffffffffffffffffffffffffffffffff")).toEqual([200, "[]"]);
  const [, latest] = await page(server.adminPort, "/calls");
  expect(JSON.parse(latest)).toMatchObject([{ traceId: "0af7651916cd43dd8448eb211c80319c", outcome: "UNAVAILABLE" }]);
});

test("a trace id that is none is refused, with what one looks like", async () => {
  await using server = await serve(alone);
  const [status, told] = await page(server.adminPort, "/calls?trace=abc");
  expect([status, JSON.parse(told).message]).toEqual([
    400,
    expect.stringMatching(/"abc" is no trace id: .*[0-9a-f]{32}$/),
  ]);
});

test("a port of its pages that is taken ends the start, and leaves nothing open", async () => {
  await using first = await serve(alone);
  await expect(serve({ ...alone, adminPort: first.adminPort ?? 0 })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("a server registers with all its services, and is deregistered before it drains", async () => {
  await using discovery = await openScripted();
  const server = await serve({ ...alone, discovery: discovery.address });
  expect(discovery.told[0]).toMatch(/^register user-[0-9a-f-]{36}$/);
  await server.drain();
  expect(discovery.told.at(-1)).toMatch(/^deregister user-/);
});

test("draining finishes what has begun, closes every port, and twice is once", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = vi.fn();
  const getUser = async () => {
    begun();
    await gate.promise;
    return { user: { id: 1n, name: "Ada" } };
  };
  const server = await serve({ ...alone, services: [[UserService, { getUser }]] });
  const call = page(server.port, "/v1/users/1");
  await vi.waitFor(() => expect(begun).toHaveBeenCalled());
  const drained = server.drain();
  await vi.waitFor(async () => expect(await page(server.adminPort, "/readyz")).toEqual([503, '{"status":"draining"}']));
  gate.resolve();
  expect((await call)[0]).toBe(200);
  await Promise.all([drained, server.drain(), server.drained]);
  await expect(page(server.port, "/health")).rejects.toThrow();
  await expect(page(server.adminPort, "/healthz")).rejects.toThrow();
});

test("SIGTERM drains; after it nobody listens for signals", async () => {
  const before = process.listenerCount("SIGTERM");
  const server = await serve({ ...alone, signals: true });
  expect(process.listenerCount("SIGTERM")).toBe(before + 1);
  process.emit("SIGTERM", "SIGTERM");
  await server.drained;
  expect([process.listenerCount("SIGTERM"), process.listenerCount("SIGINT")]).toEqual([before, before]);
});
