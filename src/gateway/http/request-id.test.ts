import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { restRequest } from "../../testing/rest-caller.ts";
import { withRequestId } from "./request-id.ts";

async function ids(header: Record<string, string>) {
  let passedOn: string | null = null;
  const handler = withRequestId(async (request: UniversalServerRequest) => {
    passedOn = request.header.get("x-request-id");
    return { status: 200, header: new Headers({ "x-request-id": "what upstream made of it" }) };
  });
  const answer = await handler(restRequest("GET", "/", { header }));
  return [passedOn, answer.header?.get("x-request-id")] as const;
}

test("a sane id is kept, passed on and told", async () => {
  expect(await ids({ "x-request-id": "order-42/a:b" })).toEqual(["order-42/a:b", "order-42/a:b"]);
});

test("a request without an id, or with one that is too long or odd, is given one", async () => {
  const headers: Record<string, string>[] = [{}, { "x-request-id": "a b" }, { "x-request-id": "x".repeat(129) }];
  const given = await Promise.all(headers.map(ids));
  for (const [passedOn, told] of given) {
    expect(passedOn).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(told).toBe(passedOn);
  }
  expect(new Set(given.map(([id]) => id)).size).toBe(3);
});
