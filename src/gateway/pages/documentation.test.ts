import { expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { serve } from "../../app/run.ts";
import { silentLogger } from "../../base/log.ts";
import { annService, echo, echoContract, openTown, until } from "../../test/suites/gateway-parts.ts";
import { scratchService } from "../../testing/scratch-contract.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

interface Told {
  readonly paths: Readonly<Record<string, Record<string, { readonly summary?: string }>>>;
  readonly tags: readonly { readonly name: string }[];
}

async function documentOf(url: string): Promise<Told> {
  return (await (await fetch(`${url}/openapi.json`)).json()) as Told;
}

const named = ({ tags }: Told) => tags.map(({ name }) => name);

test("a service that registers is routed, documented and on the page without a restart", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway({ apiTitle: "The town" });
  const url = `http://127.0.0.1:${gateway.port}`;
  expect(named(await documentOf(url))).not.toContain(UserService.typeName);
  await using _users = await town.join("user", [[UserService, annService()]]);
  const told = await until(
    () => documentOf(url),
    (document) => named(document).includes(UserService.typeName),
  );
  expect((await fetch(`${url}/v1/users/1`)).status).toBe(200);
  expect(Object.keys(told.paths)).toEqual(expect.arrayContaining(["/v1/users", "/v1/users/{id}"]));
  const page = await fetch(`${url}/docs`);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>The town</title>")]);
  for (const header of ["x-request-id", "heddle-trace-id"]) expect(page.headers.get(header)).toBeTruthy();
});

test("a service's comments come with it, and describe what it does", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway();
  const services = [[UserService, annService()]] as const;
  const quiet = { log: silentLogger, signals: false, drainMs: 0 } as const;
  const about = { ...quiet, name: "user", version: "1", discovery: town.address };
  await using _users = await serve({ ...about, services, descriptors: heddleDescriptors });
  const told = await until(
    () => documentOf(`http://127.0.0.1:${gateway.port}`),
    (document) => named(document).includes(UserService.typeName),
  );
  expect(told.paths["/v1/users/{id}"]?.get?.summary).toBe("Returns one user");
});

test("a contract that is refused changes neither routes nor document, and /health tells of it", async () => {
  await using town = await openTown();
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => documentOf(url),
    (document) => named(document).includes(UserService.typeName),
  );
  const before = (await fetch(`${url}/openapi.json`)).headers.get("etag") ?? "";
  const thief = scratchService({ name: "Steal", rule: { pattern: { case: "get", value: "/v1/users/{name}" } } });
  await using _thief = await town.join("thief", [[thief, {}]]);
  const health = await until(
    async () => (await (await fetch(`${url}/health`)).json()) as { readonly refused?: readonly unknown[] },
    ({ refused }) => refused !== undefined,
  );
  expect(health.refused).toEqual([{ service: thief.typeName, problem: expect.stringContaining("/v1/users/{name}") }]);
  expect((await fetch(`${url}/openapi.json`, { headers: { "if-none-match": before } })).status).toBe(304);
  expect((await fetch(`${url}/v1/users/1`)).status).toBe(200);
});

test("a service without annotations is documented by its methods' names, and reached so", async () => {
  await using town = await openTown();
  await using _echo = await town.join("echo", [[echoContract(), echo]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  const told = await until(
    () => documentOf(url),
    (document) => named(document).includes("echo.v1.EchoService"),
  );
  expect(told.paths["/echo.v1.EchoService/One"]).toHaveProperty("post");
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/echo.v1.EchoService/One`, { method: "POST", headers, body: '{"text":"a"}' });
  expect([answer.status, await answer.json()]).toEqual([200, { text: "a" }]);
});

test("where documentation is switched off its paths are nobody's", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway({ docs: false });
  const url = `http://127.0.0.1:${gateway.port}`;
  for (const path of ["/docs", "/openapi.json", "/docs/page.js"]) {
    expect([path, (await fetch(url + path)).status]).toEqual([path, 404]);
  }
  expect((await fetch(`${url}/health`)).status).toBe(200);
});
