import { getOption } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, describe, expect, test } from "vitest";
import { method as methodOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { methodName } from "../../call/method.ts";
import type { Case } from "./case.ts";
import { httpStatusOf } from "./failure.ts";
import type { Outcome } from "./rpc-ways.ts";
import { openShop } from "./shop.ts";
import { table, waysOf } from "./table.ts";

const shop = await openShop();
afterAll(() => shop[Symbol.asyncDispose]());

describe.each(table.map((row) => [`${methodName(row.method)}: ${row.title}`, row] as const))("%s", (_, row) => {
  const { method, at, as, take } = row;
  test.each(waysOf(row).map((way) => [way.name, way] as const))("%s", async (_, way) => {
    const requests = await row.given(shop);
    const outcome = await way.call({
      method,
      origin: shop.origins[at],
      authorization: shop.authorization[as],
      requests,
      take,
    });
    if (row.expected.kind === "answer") {
      expect(outcome.failure).toBeUndefined();
      expect(outcome.answers).not.toHaveLength(0);
      row.expected.check(outcome.answers, requests);
    } else {
      expect(outcome.failure).toMatchObject(row.expected.failure);
      expect(outcome.failure?.message).not.toBe("");
    }
    await expectHttp(row, outcome);
  });
});

/** What REST says beside the body: the status, and where to find what was created. */
async function expectHttp({ method, at, expected }: Case, { http }: Outcome): Promise<void> {
  if (http === undefined) return;
  if (expected.kind === "failure") {
    const { code } = expected.failure;
    expect(http.header.has("www-authenticate")).toBe(code === Code.Unauthenticated || code === Code.PermissionDenied);
    return expect(http.status).toBe(httpStatusOf[code]);
  }
  const creates = getOption(method, methodOption).created !== undefined;
  expect(http.status).toBe(creates ? 201 : 200);
  const location = http.header.get("location");
  expect(location !== null).toBe(creates);
  if (location !== null) expect((await fetch(shop.origins[at] + location)).status).toBe(200);
}
