import { expect, test } from "vitest";
import { EnvReader } from "../base/env.ts";
import { gatewayConfig } from "./config.ts";

/** The settings that these variables make, and what is wrong with them. */
function configOf(env: Record<string, string>) {
  const read = new EnvReader(env);
  return { config: gatewayConfig(read), complaints: read.complaints };
}

test("trusted proxies are networks between commas; by default there are none", () => {
  expect(configOf({}).config.trustedProxies).toEqual([]);
  const { config, complaints } = configOf({ TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8,192.0.2.1" });
  expect([config.trustedProxies, complaints]).toEqual([["10.0.0.0/8", "fd00::/8", "192.0.2.1"], []]);
  expect(configOf({ TRUSTED_PROXIES: "10.0.0.0/8,proxy" }).complaints).toEqual([
    'TRUSTED_PROXIES=10.0.0.0/8,proxy has "proxy", which is no network; write 10.0.0.0/8, 2001:db8::/32 or an address',
  ]);
});

test.each([
  ["localhost:6379", "has to be empty or a Redis URL such as redis://user:password@host:6379/0"],
  ["http://:secret@host", "has to be empty or a Redis URL"],
  ["redis://:secret@", "has to be empty or a Redis URL"],
  ["redis:///0", "names no host"],
  ["redis://:secret@host/orders", "names a database that is no number"],
])("a REDIS_URL that is none, %s, is complained about by its name, without its password", (url, problem) => {
  const { complaints } = configOf({ REDIS_URL: url });
  expect(complaints).toEqual([expect.stringContaining(`REDIS_URL ${problem}`)]);
  expect(complaints[0]).not.toContain("secret");
});

test("a Redis URL, with or without all of its parts, is taken", () => {
  for (const url of ["redis://host", "rediss://user:secret@host:6380/2", "redis://[::1]:6379"]) {
    expect(configOf({ REDIS_URL: url })).toMatchObject({ config: { redisUrl: url }, complaints: [] });
  }
});
