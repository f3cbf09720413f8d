import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { gatewayRows } from "../../gateway/idempotency/answer-entity.ts";
import { answerRows } from "../../gateway/idempotency/answer-rows.ts";
import { KeyedRequests } from "../../gateway/idempotency/keyed-requests.ts";
import { requestIdKey } from "../../gateway/upstream/request-ids.ts";
import { once } from "../../rest/response/answer.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore } from "../../store/orm.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { until } from "./gateway-parts.ts";

/** Two gateways over one database, and a service behind them that counts what it is asked. */
async function openPair(kind: DatabaseKind) {
  await using own = new AsyncDisposableStack();
  const database = own.use(await openDatabase(kind));
  const store = own.use(await openStore({ ...gatewayRows, ...database, clock: systemClock }));
  const rows = answerRows(store);
  const clock = fakeClock();
  const asked: UniversalServerRequest[] = [];
  let service: HttpHandler = async () => created(`{"n":${asked.length}}`);
  const inner: HttpHandler = (request) => {
    asked.push(request);
    return service(request);
  };
  const gateway = () =>
    new KeyedRequests({
      rows: { get: async () => rows, async [Symbol.asyncDispose]() {} },
      callerOf: async ({ header }) => header.get("x-caller") ?? "",
      waitMs: 5_000,
      clock,
      log: silentLogger,
    });
  const gateways = [gateway(), gateway()] as const;
  const post = async (at: 0 | 1, { key = '"one"', path = "/v1/orders?a=1", method = "POST", ...call }: Post = {}) =>
    readAnswer(await gateways[at].answer(restRequest(method, path, { body: "{}", ...call }), key, inner));
  /** Moves time on until the answer is there: what waits for it asks the database between two steps. */
  const inTime = async <T>(answer: Promise<T>): Promise<T> => {
    let over = false;
    void answer
      .finally(() => {
        over = true;
      })
      .catch(() => {}); // the caller is told by the answer itself
    while (!over) {
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return answer;
  };
  const all = own.move();
  return {
    clock,
    rows,
    store,
    asked,
    post,
    inTime,
    /** Resolves when the service has been asked something. */
    begun: () =>
      until(
        () => asked.length,
        (count) => count > 0,
      ),
    serve(next: HttpHandler) {
      service = next;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Post extends RestCall {
  readonly key?: string;
  readonly path?: string;
  readonly method?: string;
}

function created(
  body: string | Uint8Array,
  header: Record<string, string> = {},
  status = 201,
): UniversalServerResponse {
  const bytes = Buffer.from(body);
  const own = { "content-type": "application/json", "content-length": String(bytes.length) };
  return { status, header: new Headers({ ...own, ...header }), body: once(bytes) };
}

/** A service that answers when it is told to. */
function held() {
  const told = Promise.withResolvers<UniversalServerResponse>();
  return { serve: () => told.promise, answer: (body: string) => told.resolve(created(body)), fail: told.reject };
}

/** What requests with a key are answered, whatever database keeps the answers. */
export function idempotencySuite(kind: DatabaseKind): void {
  test("the first answer is given again, status, headers and body, by every gateway, and is marked as such", async () => {
    await using pair = await openPair(kind);
    const location = { location: "/v1/orders/1", "x-tenant": "t1" };
    pair.serve(async () => created('{"id":"1"}', location));
    const first = await pair.post(0, { header: { "accept-encoding": "gzip" } });
    expect(first).toMatchObject({ status: 201, text: '{"id":"1"}' });
    expect(pair.asked[0]?.header.has("accept-encoding")).toBe(false); // the next caller may accept something else
    expect(first.header.has("idempotency-replayed")).toBe(false);
    for (const at of [0, 1] as const) {
      const again = await pair.post(at);
      expect(again).toMatchObject({ status: 201, text: '{"id":"1"}' });
      const told = { ...location, "content-type": "application/json", "content-length": "10" };
      expect(Object.fromEntries(again.header)).toEqual({ ...told, "idempotency-replayed": "true" });
    }
    expect(pair.asked).toHaveLength(1);
  });

  test("a second use with another body, query or Content-Type is 422, and is not passed on", async () => {
    await using pair = await openPair(kind);
    await pair.post(0);
    const others: Post[] = [
      { body: '{"a":1}' },
      { path: "/v1/orders?a=2" },
      { header: { "content-type": "application/x-other" } },
    ];
    for (const other of others) {
      const { status, json } = await pair.post(1, other);
      expect([status, json]).toMatchObject([422, { details: [{ reason: "IDEMPOTENCY_KEY_REUSED" }] }]);
    }
    expect(pair.asked).toHaveLength(1);
    expect((await pair.post(0)).status).toBe(201);
  });

  test("the same key of another caller, for another path or by another method is another key", async () => {
    await using pair = await openPair(kind);
    const all: Post[] = [
      {},
      { header: { "x-caller": "ada" } },
      { path: "/v1/users" },
      { method: "PATCH" },
      { key: "two" },
    ];
    for (const one of all) expect((await pair.post(0, one)).header.has("idempotency-replayed")).toBe(false);
    expect(pair.asked).toHaveLength(all.length);
  });

  test("fifty equal requests at once, at two gateways, are one", async () => {
    await using pair = await openPair(kind);
    const service = held();
    pair.serve(service.serve);
    const posts = Array.from({ length: 50 }, (_, i) => pair.post(i % 2 === 0 ? 0 : 1));
    await pair.begun();
    service.answer('{"id":"1"}');
    const answers = await pair.inTime(Promise.all(posts));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['201 {"id":"1"}']));
    expect(answers.filter(({ header }) => header.get("idempotency-replayed") !== "true")).toHaveLength(1);
    expect(pair.asked).toHaveLength(1);
  });

  test("one who comes while another request with the key is under way, and is not the same, is refused at once", async () => {
    await using pair = await openPair(kind);
    const service = held();
    pair.serve(service.serve);
    const first = pair.post(0);
    await pair.begun();
    for (const at of [0, 1] as const) expect((await pair.post(at, { body: '{"a":1}' })).status).toBe(422);
    service.answer("{}");
    await first;
  });

  test("one who has waited long enough is told to come again", async () => {
    await using pair = await openPair(kind);
    const service = held();
    pair.serve(service.serve);
    const first = pair.post(0);
    await pair.begun();
    for (const at of [0, 1] as const) {
      const { status, header, json } = await pair.inTime(pair.post(at));
      expect([status, header.get("retry-after")]).toEqual([409, "1"]);
      expect(json).toMatchObject({ details: [{ reason: "IDEMPOTENCY_KEY_IN_USE" }] });
    }
    service.answer("{}");
    expect((await first).status).toBe(201);
    expect(pair.asked).toHaveLength(1);
  });

  test("an answer that says to come again is not kept: the next request is passed on", async () => {
    await using pair = await openPair(kind);
    pair.serve(async () => created("{}", { "retry-after": "1" }, 503));
    expect((await pair.post(0)).status).toBe(503);
    pair.serve(async () => created("{}"));
    const second = await pair.post(1);
    expect([second.status, second.header.has("idempotency-replayed")]).toEqual([201, false]);
  });

  test("what came of a key that was let go of may be another request's, and is kept", async () => {
    await using pair = await openPair(kind);
    pair.serve(async () => created("{}", {}, 415));
    expect((await pair.post(0)).status).toBe(415);
    pair.serve(async () => created("{}"));
    const mended = { header: { "content-type": "application/json" } };
    expect((await pair.post(1, mended)).status).toBe(201);
    expect((await pair.post(0, mended)).header.get("idempotency-replayed")).toBe("true");
    expect((await pair.post(0)).status).toBe(422);
  });

  test("the service is told by one id that it is one request, whoever makes it, until the key's day is over", async () => {
    await using pair = await openPair(kind);
    const idOf = (at: number) => pair.asked[at]?.contextValues?.get(requestIdKey);
    pair.serve(async () => created("{}", {}, 504));
    for (const at of [0, 1, 0] as const) {
      await pair.post(at);
      await pair.clock.advance(1_000);
    }
    await pair.post(1, { key: "two" });
    await pair.clock.advance(86_400_000);
    await pair.post(1);
    expect(idOf(0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([idOf(1), idOf(2)]).toEqual([idOf(0), idOf(0)]);
    expect(new Set([idOf(0), idOf(3), idOf(4)]).size).toBe(3);
  });

  test("what is refused for good is refused again without being asked", async () => {
    await using pair = await openPair(kind);
    pair.serve(async () => created('{"code":9}', {}, 400));
    for (const at of [0, 1] as const) expect(await pair.post(at)).toMatchObject({ status: 400, text: '{"code":9}' });
    expect(pair.asked).toHaveLength(1);
  });

  test("a request that breaks lets go of its key", async () => {
    await using pair = await openPair(kind);
    pair.serve(() => Promise.reject(new Error("a bug")));
    await expect(pair.post(0)).rejects.toThrow("a bug");
    pair.serve(async () => created("{}"));
    expect((await pair.post(1)).status).toBe(201);
  });

  test("one who leaves leaves alone: the request goes on, and its answer is there for whoever comes again", async () => {
    await using pair = await openPair(kind);
    const service = held();
    pair.serve(service.serve);
    const leaving = new AbortController();
    const first = pair.post(0, { signal: leaving.signal });
    await pair.begun();
    leaving.abort();
    expect(pair.asked[0]?.signal.aborted).toBe(false);
    service.answer('{"id":"1"}');
    await first;
    expect(await pair.post(1)).toMatchObject({ status: 201, text: '{"id":"1"}' });
    expect(pair.asked).toHaveLength(1);
  });

  test("a gateway that has died in the middle holds its key for ten seconds more, and then another makes the request", async () => {
    await using pair = await openPair(kind);
    const scope = await scopeOfPost(pair);
    const times = { now: pair.clock.wall(), leaseMs: 10_000, keepMs: 86_400_000 };
    expect(await pair.rows.claim({ ...scope, holder: "one that dies" }, times)).toMatchObject({ kind: "work" });
    expect((await pair.inTime(pair.post(0))).status).toBe(409);
    await pair.clock.advance(5_000);
    expect((await pair.post(0)).status).toBe(201);
    expect((await pair.post(1)).header.get("idempotency-replayed")).toBe("true");
  });

  test("a gateway that is at it for long keeps its key, and another's late answer does not replace what came of it", async () => {
    await using pair = await openPair(kind);
    const service = held();
    pair.serve(service.serve);
    const first = pair.post(0);
    await pair.begun();
    for (let second = 0; second < 30; second++) {
      await pair.clock.advance(1_000);
      const isHeld = async () => (await rowOf(pair)).lease_ends_at >= pair.clock.wall() + 5_000;
      await until(isHeld, (held) => held);
    }
    expect((await pair.inTime(pair.post(1))).status).toBe(409);
    service.answer('{"id":"1"}');
    await first;
    const { scope } = await rowOf(pair);
    await pair.rows.finish(
      { scope, fingerprint: "", holder: "a late one" },
      { status: 500, header: [], body: Buffer.from("") },
    );
    expect(await pair.post(1)).toMatchObject({ status: 201, text: '{"id":"1"}' });
  });

  test("of several gateways that take over a key, one makes the request", async () => {
    await using pair = await openPair(kind);
    const keyed = await scopeOfPost(pair);
    const times = { now: pair.clock.wall(), leaseMs: 10_000, keepMs: 86_400_000 };
    await pair.rows.claim({ ...keyed, holder: "one that dies" }, times);
    const later = { ...times, now: times.now + 10_000 };
    const claims = Array.from({ length: 8 }, (_, i) => pair.rows.claim({ ...keyed, holder: `${i}` }, later));
    const kinds = (await Promise.all(claims)).map((claim) => claim.kind).sort();
    expect(kinds).toEqual([...Array.from({ length: 7 }, () => "busy"), "work"]);
  });

  test("an answer is kept for a day; then the key is a new one", async () => {
    await using pair = await openPair(kind);
    await pair.post(0);
    await pair.clock.advance(86_400_000 - 1);
    expect((await pair.post(1)).header.get("idempotency-replayed")).toBe("true");
    await pair.clock.advance(1);
    const late = await pair.post(1, { body: '{"other":1}' });
    expect([late.status, late.header.has("idempotency-replayed")]).toEqual([201, false]);
    expect(pair.asked).toHaveLength(2);
  });

  test("bytes come back as they were, and an empty body empty", async () => {
    await using pair = await openPair(kind);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const seen: Uint8Array[] = [];
    pair.serve(async (request) => {
      for await (const piece of request.body as AsyncIterable<Uint8Array>) seen.push(piece);
      return created(bytes, { "content-type": "application/octet-stream" });
    });
    const body = Buffer.from("déjà vu");
    const [first, again] = [await pair.post(0, { body }), await pair.post(1, { body })];
    expect([Buffer.concat(seen).equals(body), again.text]).toEqual([true, first.text]);
    expect(again.text).toBe(Buffer.from(bytes).toString());
    pair.serve(async () => ({ status: 204 }));
    for (const at of [0, 1] as const)
      expect(await pair.post(at, { key: "empty" })).toMatchObject({ status: 204, text: "" });
    expect(pair.asked).toHaveLength(2);
  });

  test("an answer of over 1 MiB is given once, says that it is not kept, and the request is not made again", async () => {
    await using pair = await openPair(kind);
    const long = "x".repeat(1024 * 1024 + 1);
    pair.serve(async () => created(long));
    const first = await pair.post(0);
    expect([first.text.length, first.header.get("idempotency-stored")]).toEqual([long.length, "false"]);
    const again = await pair.post(1);
    expect([again.status, again.json]).toMatchObject([409, { details: [{ reason: "IDEMPOTENT_ANSWER_NOT_KEPT" }] }]);
    expect(again.text).toContain("was answered with 201");
    expect(pair.asked).toHaveLength(1);
  });

  test("a stream is its first reader's, ends when that leaves, and is not begun again", async () => {
    await using pair = await openPair(kind);
    const leaving = new AbortController();
    pair.serve(async () => ({ status: 200, header: new Headers(), body: once(Buffer.from("line\n")) }));
    expect((await pair.post(0, { signal: leaving.signal })).text).toBe("line\n");
    leaving.abort();
    expect(pair.asked[0]?.signal.aborted).toBe(true);
    expect((await pair.post(1)).status).toBe(409);
  });

  test("what is over is removed, and the oldest of the rest when there is too much of it", async () => {
    await using pair = await openPair(kind);
    const count = () => pair.store.read((em) => em.execute("select count(*) as n from idempotent_answers"));
    for (const key of ["a", "b"]) await pair.post(0, { key });
    await pair.clock.advance(86_400_000);
    for (let i = 0; i < 10; i++) {
      await pair.post(0, { key: `${i}` });
      await pair.clock.advance(1_000);
    }
    const plenty = { maxRows: 100, maxBytes: 1_000_000 };
    expect(await pair.rows.sweep(pair.clock.wall(), plenty)).toBe(0);
    expect(Number((await count())[0]?.n)).toBe(10);
    expect(await pair.rows.sweep(pair.clock.wall(), { ...plenty, maxBytes: 10 })).toBe(10);
    expect(Number((await count())[0]?.n)).toBe(0);
  });
}

type Pair = Awaited<ReturnType<typeof openPair>>;

async function rowOf({ store }: Pair) {
  const [row] = await store.read((em) =>
    em.execute("select scope, fingerprint, lease_ends_at from idempotent_answers"),
  );
  const { scope, fingerprint, lease_ends_at } = row as Record<string, string>;
  return { scope: `${scope}`, fingerprint: `${fingerprint}`, lease_ends_at: Number(lease_ends_at) };
}

/** What a post without anything of its own stands for: read from the row that it leaves, which is then removed. */
async function scopeOfPost(pair: Pair) {
  await pair.post(0);
  pair.asked.length = 0;
  const { scope, fingerprint } = await rowOf(pair);
  await pair.store.unit(async (em) => void (await em.execute("delete from idempotent_answers")));
  return { scope, fingerprint };
}
