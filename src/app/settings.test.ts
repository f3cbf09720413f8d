import { expect, test } from "vitest";
import { EnvReader } from "../base/env.ts";
import { faultSettings } from "./settings.ts";

const plan = '{"faults":[{"method":"GetUser","delay":"0.3s"}]}';

/** What is read of the environment, and what is complained of. */
function settings(env: NodeJS.ProcessEnv) {
  const read = new EnvReader(env);
  return { ...faultSettings(read), complaints: read.complaints, table: read.table() };
}

test("faults are read as a plan, and there are none by default", () => {
  expect(settings({ HEDDLE_FAULTS: plan }).faults?.faults[0]).toMatchObject({ method: "GetUser" });
  expect(settings({}).faults?.faults).toEqual([]);
  expect(settings({}).table).toContain("HEDDLE_FAULTS_IN_PRODUCTION");
});

test("a plan that says what cannot be stops the start, by the name of its field", () => {
  const { complaints } = settings({ HEDDLE_FAULTS: '{"faults":[{"sharePercent":200,"reset":{}}]}' });
  expect(complaints).toEqual([
    expect.stringMatching(/^HEDDLE_FAULTS=.* is not taken: .*faults\[0\]\.share_percent is 200;/),
  ]);
});

test("in production a plan stops the start, until it is switched on; none does not", () => {
  const production = { NODE_ENV: "production" };
  expect(settings({ ...production, HEDDLE_FAULTS: plan }).complaints).toEqual([
    expect.stringMatching(/ is not taken: .*HEDDLE_FAULTS_IN_PRODUCTION=yes/),
  ]);
  const switchedOn = settings({ ...production, HEDDLE_FAULTS: plan, HEDDLE_FAULTS_IN_PRODUCTION: "yes" });
  expect([switchedOn.complaints, switchedOn.faults?.faults.length]).toEqual([[], 1]);
  expect(settings(production).complaints).toEqual([]);
});
