import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFailed, test } from "vitest";
import { jwksPath } from "../../security/signing-keys.ts";
import { openCluster } from "../../testing/open-cluster.ts";
import { Program } from "../../testing/program.ts";

const services = ["discovery", "user", "catalog", "order"] as const;

test("a program whose port is in use says so and ends with status 2; the one that has the port goes on", async () => {
  await using cluster = await openCluster({ replicas: { user: 1 }, onFailure: onTestFailed });
  const { port, address, adminAddress } = cluster.replica("user");
  const places = { PORT: String(port), HEDDLE_DISCOVERY: cluster.discoveryAddress, HEDDLE_DATA: cluster.dataDir };
  const env = { ...places, AUTH_JWKS: jwksPath(join(cluster.dataDir, "keys")) };
  await using second = new Program({ name: "second user", file: "services/user/main.ts", env });
  expect(await second.ended).toEqual({ code: 2, signal: null });
  expect(second.output).toContain(`cannot listen on ${address}: somebody else listens there`);
  expect(second.output).not.toContain("    at "); // no stack
  expect(await (await fetch(`http://${adminAddress}/readyz`)).json()).toEqual({ status: "ready" });
});

test.for(services)("%s names every wrong setting at once and ends with status 2", async (name) => {
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-starts-"));
  const env = { PORT: "abc", LOG_LEVEL: "x", DATABASE_URL: "nonsense", HEDDLE_DATA: dataDir };
  await using program = new Program({ name, file: `services/${name}/main.ts`, env });
  expect(await program.ended).toEqual({ code: 2, signal: null });
  for (const setting of ["PORT=abc", "LOG_LEVEL=x", "DATABASE_URL"]) expect(program.output).toContain(setting);
  expect(program.output).not.toContain("    at "); // no stack
  await rm(dataDir, { recursive: true });
});
