import { afterEach, expect, test, vi } from "vitest";
import { silentLogger } from "../../base/log.ts";
import { openMesh } from "../mesh.ts";
import { staticResolver } from "../resolve/static.ts";
import { assertFaultsAllowed } from "./production.ts";

afterEach(() => void vi.unstubAllEnvs());

const plan = '{"faults":[{"reset":{}}]}';
const open = (faults?: string) =>
  openMesh({ resolver: staticResolver({}), log: silentLogger, ...(faults !== undefined && { faults }) });

test.each([
  ["", "no", true],
  ["development", "no", true],
  ["test", "", true],
  ["production", "yes", true],
  ["production", "no", false],
  ["production", "", false],
  ["production", "true", false],
])(
  "where NODE_ENV is %j and HEDDLE_FAULTS_IN_PRODUCTION %j, that faults may happen is %s",
  (nodeEnv, inProduction, allowed) => {
    const ask = () => assertFaultsAllowed({ nodeEnv, inProduction });
    if (allowed) expect(ask).not.toThrow();
    else expect(ask).toThrow("HEDDLE_FAULTS_IN_PRODUCTION=yes");
  },
);

test("a mesh with faults does not open in production, until that is switched on", async () => {
  vi.stubEnv("NODE_ENV", "production");
  await expect(open(plan)).rejects.toThrow("HEDDLE_FAULTS_IN_PRODUCTION=yes");
  vi.stubEnv("HEDDLE_FAULTS_IN_PRODUCTION", "yes");
  await using mesh = await open(plan);
  expect(mesh.faults.plan.faults).toHaveLength(1);
});

test("nor are they brought into a mesh that is open, while taking them away is always allowed", async () => {
  await using mesh = await open(plan);
  vi.stubEnv("NODE_ENV", "production");
  expect(() => mesh.faults.set(plan)).toThrow("HEDDLE_FAULTS_IN_PRODUCTION=yes");
  expect(mesh.faults.plan.faults).toHaveLength(1);
  mesh.faults.clear();
  expect(mesh.faults.plan.faults).toEqual([]);
});

test("the environment says what goes wrong where the program does not", async () => {
  vi.stubEnv("HEDDLE_FAULTS", plan);
  await using broken = await open();
  expect(broken.faults.plan.faults).toHaveLength(1);
  await using whole = await open("");
  expect(whole.faults.plan.faults).toEqual([]);
  vi.stubEnv("HEDDLE_FAULTS", '{"faults":[{}]}');
  await expect(open()).rejects.toThrow("faults[0] says none of ");
});
