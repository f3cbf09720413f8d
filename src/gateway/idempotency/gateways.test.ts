import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test, vi } from "vitest";
import { type CreateUserRequest, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";
import { openDatabase } from "../../testing/open-database.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** Two gateways that share a SQLite file, before a user service that numbers those whom it creates. */
const idOf = async (answer: Response) => ((await answer.json()) as { id: string }).id;

async function openGateways() {
  await using own = new AsyncDisposableStack();
  const answers = own.use(await openDatabase());
  const town = own.use(await openTown());
  let last = 0n;
  const keys: (string | null)[] = [];
  const ids: string[] = [];
  const service = {
    ...annService(),
    async createUser({ name, email, requestId }: CreateUserRequest, { requestHeader }: { requestHeader: Headers }) {
      keys.push(requestHeader.get("idempotency-key"));
      ids.push(requestId);
      const id = ++last;
      await new Promise((resolve) => setTimeout(resolve, 30)); // so that others come meanwhile
      return { user: { id, name, email } };
    },
  };
  own.use(await town.join("user", [[UserService, service]]));
  const gateways = [own.use(await town.gateway({ answers })), own.use(await town.gateway({ answers }))] as const;
  const urls = gateways.map(({ port }) => `http://127.0.0.1:${port}`);
  for (const url of urls) {
    await until(
      () => fetch(`${url}/v1/users`),
      ({ status }) => status === 200,
    );
  }
  const all = own.move();
  return { urls, gateways, keys, ids, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function create(url: string | undefined, key: string, name = "Ada", header: Record<string, string> = {}) {
  return fetch(`${url}/v1/users`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key, ...header },
    body: JSON.stringify({ name, email: `${name}@example.org` }),
  });
}

test("fifty equal requests with a key, at two gateways over one SQLite file, create one user", async () => {
  await using shop = await openGateways();
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => create(shop.urls[i % 2], '"one"')));
  const told = await Promise.all(all.map(async (answer) => `${answer.status} ${await idOf(answer)}`));
  expect(new Set(told)).toEqual(new Set(["201 1"]));
  expect(all.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
  expect(new Set(all.map(({ headers }) => headers.get("location")))).toEqual(new Set(["/v1/users/1"]));
  expect(new Set(all.map(({ headers }) => headers.get("x-request-id"))).size).toBe(50); // each request its own
  expect(shop.keys).toEqual(['"one"']); // the service may go by it, too
  const other = await create(shop.urls[1], '"one"', "Eve");
  expect([other.status, await other.json()]).toMatchObject([422, { details: [{ reason: "IDEMPOTENCY_KEY_REUSED" }] }]);
});

test("keys of callers with other credentials have nothing to do with each other", async () => {
  await using shop = await openGateways();
  const ids = [];
  for (const authorization of ["Bearer ada", "Bearer eve", "Bearer ada"]) {
    ids.push(await idOf(await create(shop.urls[0], '"one"', "Ada", { authorization })));
  }
  expect(ids).toEqual(["1", "2", "1"]);
});

test("a unary call over Connect with a key is made once, too", async () => {
  await using shop = await openGateways();
  for (const baseUrl of shop.urls) {
    const client = createClient(UserService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
    const headers = { "idempotency-key": '"one"' };
    const { user } = await client.createUser({ name: "Ada", email: "ada@example.org" }, { headers });
    expect(user).toMatchObject({ id: 1n, name: "Ada" });
  }
  expect(shop.keys).toHaveLength(1);
  expect(shop.ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]); // although nothing else reads such a call here
});

test("over gRPC, which answers by trailers, the key is passed on to the service and no more", async () => {
  await using shop = await openGateways();
  const client = createClient(UserService, createGrpcTransport({ baseUrl: shop.urls[0] ?? "" }));
  const headers = { "idempotency-key": '"one"' };
  for (const id of [1n, 2n]) {
    expect((await client.createUser({ name: "Ada", email: "ada@example.org" }, { headers })).user?.id).toBe(id);
  }
  expect(shop.keys).toEqual(['"one"', '"one"']);
});

test("an answer is there although its first caller has left, and its gateway was asked to leave meanwhile", async () => {
  await using shop = await openGateways();
  const leaving = new AbortController();
  const url = `${shop.urls[0]}/v1/users`;
  const headers = { "content-type": "application/json", "idempotency-key": '"one"' };
  const body = JSON.stringify({ name: "Ada", email: "Ada@example.org" });
  const first = fetch(url, { method: "POST", headers, body, signal: leaving.signal }).catch(() => "left");
  await until(
    () => shop.keys.length,
    (calls) => calls === 1,
  );
  leaving.abort();
  expect(await first).toBe("left");
  await shop.gateways[0].drain();
  const again = await create(shop.urls[1], '"one"');
  expect([again.status, await idOf(again), again.headers.get("idempotency-replayed")]).toEqual([201, "1", "true"]);
  expect(shop.keys).toHaveLength(1);
});
