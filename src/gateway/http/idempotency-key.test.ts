import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { silentLogger } from "../../base/log.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { KeyedRequests } from "../idempotency/keyed-requests.ts";
import { withIdempotencyKey } from "./idempotency-key.ts";

/** A gateway whose database is away, and how often it has asked for that. */
function withoutDatabase() {
  const opened = { times: 0 };
  const rows = {
    async get() {
      opened.times++;
      throw new Error("connect ECONNREFUSED 10.0.0.7:5432");
    },
    async [Symbol.asyncDispose]() {},
  };
  const callerOf = async ({ header }: UniversalServerRequest) => header.get("x-caller") ?? undefined;
  const keyed = new KeyedRequests({ rows, callerOf, waitMs: 1_000, clock: fakeClock(), log: silentLogger });
  const handler = withIdempotencyKey(keyed, async () => ({ status: 201 }));
  const ask = async (method: string, header: Record<string, string>, body: unknown = "{}") =>
    readAnswer(await handler(restRequest(method, "/v1/orders", { header: { "x-caller": "ada", ...header }, body })));
  return { ask, opened };
}

const key = { "idempotency-key": '"one"' };

test("with the database away, requests with a key are 503, without a word of where it is, and others go on", async () => {
  const { ask, opened } = withoutDatabase();
  const refused = await ask("POST", key);
  expect([refused.status, refused.header.get("retry-after")]).toEqual([503, "1"]);
  expect(refused.json).toMatchObject({ code: 14, details: [{ reason: "IDEMPOTENCY_STORE_UNAVAILABLE" }] });
  expect(refused.text).not.toContain("10.0.0.7");
  expect((await ask("PATCH", key)).status).toBe(503);
  opened.times = 0;
  expect((await ask("POST", {})).status).toBe(201);
  for (const method of ["GET", "PUT", "DELETE"]) expect((await ask(method, key)).status).toBe(201);
  for (const type of ["application/grpc", "application/grpc-web+proto", "application/connect+json"]) {
    expect((await ask("POST", { ...key, "content-type": type })).status).toBe(201);
  }
  expect(opened.times).toBe(0);
});

test("a malformed key is 400 and names the header, before anything else is asked", async () => {
  const { ask, opened } = withoutDatabase();
  const { status, json } = await ask("POST", { "idempotency-key": "a b" });
  expect([status, json]).toMatchObject([400, { message: expect.stringContaining("Idempotency-Key") }]);
  expect(opened.times).toBe(0);
});

test("a body that is too large is 413", async () => {
  const { ask } = withoutDatabase();
  expect((await ask("POST", key, "x".repeat(4 * 1024 * 1024 + 1))).status).toBe(413);
});

test("a caller who is not who it says is passed on, to be refused where all are", async () => {
  const { opened } = withoutDatabase();
  const rows = { get: () => Promise.reject(new Error("away")), async [Symbol.asyncDispose]() {} };
  const options = { rows, waitMs: 1_000, clock: fakeClock(), log: silentLogger };
  const keyed = new KeyedRequests({ ...options, callerOf: async () => undefined });
  const handler = withIdempotencyKey(keyed, async () => ({ status: 401 }));
  expect((await handler(restRequest("POST", "/v1/orders", { header: key, body: "{}" }))).status).toBe(401);
  expect(opened.times).toBe(0);
});

test("a Connect client is told in Connect's words", async () => {
  const { ask } = withoutDatabase();
  const { json } = await ask("POST", { ...key, "connect-protocol-version": "1", "content-type": "application/json" });
  expect(json).toMatchObject({ code: "unavailable", message: expect.stringContaining("Idempotency-Key") });
});

test("without a place to keep answers, the key is passed on and no more", async () => {
  const passed: (string | null)[] = [];
  const handler = withIdempotencyKey(undefined, async ({ header }) => {
    passed.push(header.get("idempotency-key"));
    return { status: 201 };
  });
  await handler(restRequest("POST", "/v1/orders", { header: key, body: "{}" }));
  expect(passed).toEqual(['"one"']);
});
