import { join } from "node:path";
import { expect, test } from "vitest";
import { auditSuite } from "../../test/suites/audit-suite.ts";
import { readAccepted } from "./accepted-rule.ts";
import { audit } from "./audit.ts";

auditSuite("sqlite");

test("a list of what was accepted has requests, orders, or both on its lines", () => {
  const order = "019a0000-0000-7000-8000-000000000001";
  expect(readAccepted(`a-request\n\n${order}\nanother ${order}\r\n`)).toEqual([
    { requestId: "a-request" },
    { orderId: order },
    { requestId: "another", orderId: order },
  ]);
});

test("a database that is not there is named with its setting, and not made", async () => {
  const file = join(import.meta.dirname, "nothing", "user.db");
  const looked = audit({ places: [{ name: "user", database: { kind: "sqlite", file } }] });
  await expect(looked).rejects.toThrow(`${file} does not exist: set HEDDLE_DATA`);
});
