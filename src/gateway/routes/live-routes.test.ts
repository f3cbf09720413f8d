import { create, type DescService } from "@bufbuild/protobuf";
import { createClient, createConnectRouter } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test, vi } from "vitest";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { nothingHere } from "../../server/answers.ts";
import { reflectionServices } from "../../server/reflection.ts";
import { openServer } from "../../server/serve.ts";
import { annService, echo, echoContract, openTown, type Town, until } from "../../test/suites/gateway-parts.ts";
import { freePort } from "../../testing/free-port.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import { defaultEngine } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

test("a new version of a service is routed with what it has new, beside the old one", async () => {
  await using town = await openTown();
  await using _old = await town.join("echo", [[echoContract(), echo]]);
  await using gateway = await town.gateway();
  const newer = echoContract(["Shout"]);
  const client: unknown = createClient(newer, createGrpcTransport({ baseUrl: `http://127.0.0.1:${gateway.port}` }));
  const { shout } = client as { shout(note: unknown): Promise<unknown> };
  await until(...rpcStatus(gateway.port, "One", 415));
  expect((await fetch(urlOf(gateway.port, "Shout"), { method: "POST" })).status).toBe(404);

  const loud = { ...echo, shout: ({ text }: { text: string }) => ({ text: text.toUpperCase() }) };
  await using _new = await town.join("echo", [[newer, loud]], "2");
  await until(...rpcStatus(gateway.port, "Shout", 415));
  expect(await until(() => shout({ text: "a" }).catch(() => undefined), Boolean)).toMatchObject({ text: "A" });
});

test("a contract whose paths belong to another service is refused, and told of; the routes stay", async () => {
  await using town = await openTown();
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`${url}/v1/users/1`),
    ({ status }) => status === 200,
  );
  const thief = scratchService({ name: "Steal", rule: { pattern: { case: "get", value: "/v1/users/{name}" } } });
  await using _thief = await town.join("thief", [[thief, { steal: () => ({ name: "stolen" }) }]]);
  const page = await until(
    async () => (await fetch(`${url}/health`)).json() as Promise<Record<string, unknown>>,
    (told) => told.refused !== undefined,
  );
  expect(page.refused).toEqual([
    { service: "scratch.v1.ScratchService", problem: expect.stringMatching(/GET \/v1\/users\/\{name\} belongs to/) },
  ]);
  expect(await (await fetch(`${url}/v1/users/1`)).json()).toMatchObject({ name: "Ann" });
});

test("what belongs to a service that has not described itself yet is to be asked for again, and nothing else is lost", async () => {
  await using town = await openTown();
  const silent = create(InstanceSchema, { id: "late-1", name: "late", services: ["late.v1.LateService"], weight: 100 });
  const nobody = { host: "127.0.0.1", port: await freePort() };
  await town.registrar.register({ instance: { ...silent, ...nobody }, term: "until-deregistered" });
  await using gateway = await town.gateway();
  const asked = () => fetch(`http://127.0.0.1:${gateway.port}/v1/late/1`);
  const early = await asked();
  expect([early.status, early.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await early.json()).toMatchObject({
    details: expect.arrayContaining([expect.objectContaining({ reason: "ROUTES_NOT_KNOWN_YET" })]),
  });
  await town.registrar.deregister({ id: "late-1" });
  await until(asked, ({ status }) => status === 404);
});

test("a contract that contradicts itself is refused with the reason", async () => {
  await using town = await openTown();
  const wrong = scratchService({
    name: "Get",
    rule: { pattern: { case: "get", value: "/v1/things/{name}" } },
    policy: { retry: { maxAttempts: 3 } },
  });
  await using server = await openDescribing(wrong);
  await registerAt(town, "thing", server.port, wrong);
  await using gateway = await town.gateway();
  const page = await until(
    async () => (await fetch(`http://127.0.0.1:${gateway.port}/health`)).json() as Promise<Record<string, unknown>>,
    (told) => told.refused !== undefined,
  );
  expect(page.refused).toEqual([
    { service: wrong.typeName, problem: expect.stringMatching(/Get: retry.max_attempts/) },
  ]);
  expect(page.status).toBe("healthy");
});

test("an instance that describes nothing of itself is refused and harms nobody", async () => {
  await using town = await openTown();
  await using mute = await openServer({ services: [] });
  await registerAt(town, "mute", mute.port, echoContract());
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  const page = await until(
    async () => (await fetch(`${url}/health`)).json() as Promise<Record<string, unknown>>,
    (told) => told.refused !== undefined,
  );
  expect(page.refused).toEqual([
    { service: "echo.v1.EchoService", problem: expect.stringMatching(/mute-1: .*not known here/) },
  ]);
  await until(
    () => fetch(`${url}/v1/users/1`),
    ({ status }) => status === 200,
  );
});

/** A server that tells of a contract by reflection which no server of ours would serve. */
async function openDescribing(service: DescService) {
  const router = createConnectRouter();
  for (const [reflection, implementation] of reflectionServices([service])) router.service(reflection, implementation);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return defaultEngine.listen({
    host: "127.0.0.1",
    port: 0,
    handler: async (request) => handlers.get(new URL(request.url).pathname)?.(request) ?? nothingHere(request),
  });
}

async function registerAt(town: Town, name: string, port: number, service: DescService): Promise<void> {
  const services = [service.typeName];
  const instance = create(InstanceSchema, { id: `${name}-1`, name, services, host: "127.0.0.1", port, weight: 100 });
  await town.registrar.register({ instance, term: "until-deregistered" });
}

function urlOf(port: number, method: string): string {
  return `http://127.0.0.1:${port}/echo.v1.EchoService/${method}`;
}

/** For `until`: asks the method with a content type that nobody reads, which a routed one answers with 415. */
function rpcStatus(port: number, method: string, status: number) {
  const headers = { "content-type": "text/plain" };
  const ask = () => fetch(urlOf(port, method), { method: "POST", headers, body: "x" });
  return [ask, (answer: Response) => answer.status === status] as const;
}
