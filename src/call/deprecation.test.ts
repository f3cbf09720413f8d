import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DeprecationSchema } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { contract } from "../testing/contract.ts";
import { deprecationOf } from "./deprecation.ts";
import { methodPolicy } from "./policy.ts";

test("a deprecated method tells since when, until when, what comes after it, and where to read of it", () => {
  const all = {
    since: "2026-12-01",
    sunset: "2027-12-01",
    successor: "/v2/users",
    documentation: "https://example.org/moving",
  };
  const { fields } = deprecationOf(create(DeprecationSchema, all));
  expect(Object.fromEntries(fields)).toEqual({
    deprecation: `@${Date.UTC(2026, 11, 1) / 1_000}`,
    sunset: "Wed, 01 Dec 2027 00:00:00 GMT",
    link: '</v2/users>; rel="successor-version", <https://example.org/moving>; rel="deprecation"; type="text/html"',
  });
});

test("what a contract leaves out has no header", () => {
  const { fields } = deprecationOf(create(DeprecationSchema, { since: "1970-01-02" }));
  expect(fields).toEqual([["deprecation", "@86400"]]);
});

test("a method's own words go before its service's, and deprecated alone says nothing", () => {
  const defaults = { deprecation: { since: "2026-12-01" } };
  const own = { deprecation: { since: "2026-12-02" } };
  const service = contract(
    [
      { name: "A", deprecated: true },
      { name: "B", deprecated: true, policy: own },
    ],
    { defaults },
  );
  const days = service.methods.map((method) => methodPolicy(method).deprecation?.fields[0]?.[1]);
  expect(days).toEqual([`@${Date.UTC(2026, 11, 1) / 1_000}`, `@${Date.UTC(2026, 11, 2) / 1_000}`]);
  const [silent = expect.fail()] = contract([{ name: "A", deprecated: true }]).methods;
  expect(methodPolicy(silent).deprecation).toBeUndefined();
});
