import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { PolicyError } from "../call/policy.ts";
import { principalKey } from "../security/principal.ts";
import { contract } from "../testing/contract.ts";
import { openPair } from "../testing/open-pair.ts";
import type { ServedCall } from "./hooks.ts";
import { openServer } from "./serve.ts";

const never = () => new Promise<never>(() => {});
const seconds = (count: number) => ({ seconds: BigInt(count) });
/** Ada, whatever was done on the way. */
const told = (_: unknown) => aUser;
const aUser = { user: { id: 1n, name: "Ada" } };

test("a contract that contradicts itself is refused before anything is opened", async () => {
  const service = contract([{ name: "Do", policy: { timeout: seconds(-1) } }]);
  const opening = openServer({ services: [[service, {}]] });
  await expect(opening).rejects.toThrow(PolicyError);
  await expect(opening).rejects.toThrow("made.v1.MadeService/Do: timeout is not positive");
});

test("a contract that asks for access is refused where nothing proves callers; one open to all is not", async () => {
  const closed = contract([{ name: "Open", policy: { access: { anonymous: true } } }, { name: "Closed" }], {
    defaults: { access: { scopes: ["texts:read"] } },
  });
  await expect(openServer({ services: [[closed, {}]] })).rejects.toThrow(
    "the contract asks for access to made.v1.MadeService/Closed, but nothing proves callers: set AUTH_JWKS, or `authenticate` in code",
  );
  const open = contract([{ name: "Open", policy: { access: { anonymous: true } } }]);
  await using server = await openServer({ services: [[open, {}]] });
  expect(server.port).toBeGreaterThan(0);
});

test("a service that publishes starts where nothing proves callers: what is closed refuses everybody, the rest answers", async () => {
  await using pair = await openPair({
    services: [[EventService, { getEventLog: () => ({ source: "order" }), resendEvents: () => ({ events: 1n }) }]],
  });
  const events = pair.client(EventService);
  const refused = await events.resendEvents({ fromPosition: 1n }).then(() => expect.unreachable(), ConnectError.from);
  expect(refused.code).toBe(Code.Unauthenticated);
  expect((await events.getEventLog({})).source).toBe("order");
});

test("the steps run in the order of the list: proven, let in, validated, then the application's own", async () => {
  const order: string[] = [];
  const own: Interceptor = (next) => (req) => {
    order.push(`own as ${req.contextValues.get(principalKey)?.subject}`);
    return next(req);
  };
  await using pair = await openPair({
    services: [[UserService, { getUser: () => told(order.push("handler")) }]],
    interceptors: [own],
    async authenticate({ requestHeader }) {
      order.push("authenticate");
      if (requestHeader.get("authorization") === "false") throw new ConnectError("false token", Code.Unauthenticated);
      return { subject: "ada", scopes: new Set() };
    },
    hooks: {
      callStarted: () => order.push("started"),
      callEnded: ({ code }) => order.push(`ended ${code === undefined ? "ok" : Code[code]}`),
    },
  });
  await pair.users.getUser({ id: 1n });
  expect(order).toEqual(["started", "authenticate", "own as ada", "handler", "ended ok"]);

  order.length = 0;
  await pair.users.getUser({ id: 0n }).catch(() => {});
  expect(order).toEqual(["started", "authenticate", "ended InvalidArgument"]);

  order.length = 0;
  await pair.users.getUser({ id: 0n }, { headers: { authorization: "false" } }).catch(() => {});
  expect(order).toEqual(["started", "authenticate", "ended Unauthenticated"]);
});

test("an invalid request is refused with every field named, on a stream too, and never reaches its handler", async () => {
  const handler = vi.fn();
  await using pair = await openPair({
    services: [
      [UserService, { getUser: handler }],
      [OrderService, { watchOrder: handler }],
    ],
  });
  const streamed = async () => {
    for await (const _ of pair.client(OrderService).watchOrder({ id: "" })) {
    }
  };
  for (const call of [() => pair.users.getUser({ id: 0n }), streamed]) {
    const error = await call().then(() => expect.unreachable(), ConnectError.from);
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([{ field: "id" }]);
  }
  expect(handler).not.toHaveBeenCalled();
});

test("hooks are told of each call once: how it ended and how long it took", async () => {
  const ended: ServedCall[] = [];
  await using pair = await openPair({
    hooks: { callEnded: (call) => ended.push(call) },
    services: [
      [
        UserService,
        {
          getUser() {
            throw new ConnectError("no such user", Code.NotFound);
          },
          listUsers() {
            throw new TypeError("a bug");
          },
        },
      ],
      [
        OrderService,
        {
          async *watchOrder() {
            yield {};
            throw new ConnectError("broke off", Code.Unavailable);
          },
        },
      ],
    ],
  });
  const failed = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (reason) => ConnectError.from(reason).code,
    );
  const streamed = async () => {
    for await (const _ of pair.client(OrderService).watchOrder({ id: "a" })) {
    }
  };
  const seen = [
    await failed(pair.users.getUser({ id: 1n })),
    await failed(pair.users.listUsers({})),
    await failed(streamed()),
  ];
  expect(seen).toEqual([Code.NotFound, Code.Internal, Code.Unavailable]);
  expect(ended.map(({ method, code }) => [method.name, code])).toEqual([
    ["GetUser", Code.NotFound],
    ["ListUsers", Code.Internal],
    ["WatchOrder", Code.Unavailable],
  ]);
  for (const { durationMs } of ended) expect(durationMs).toBeGreaterThanOrEqual(0);
});

test("what a method does not implement is UNIMPLEMENTED", async () => {
  await using pair = await openPair({ services: [[UserService, {}]] });
  await expect(pair.users.getUser({ id: 1n })).rejects.toMatchObject({ code: Code.Unimplemented });
});

const fourMiB = 4 * 1024 * 1024;

test.each([
  ["a request", { nameBytes: fourMiB, answerBytes: 1 }],
  ["an answer", { nameBytes: 1, answerBytes: fourMiB }],
])("%s above 4 MiB is RESOURCE_EXHAUSTED", async (_, { nameBytes, answerBytes }) => {
  const createUser = () => ({ user: { name: "x".repeat(answerBytes) } });
  await using pair = await openPair({ services: [[UserService, { createUser }]] });
  const rest = `${pair.origin}/shop.user.v1.UserService/CreateUser`; // fetch has no limits of its own
  const body = JSON.stringify({ name: "x".repeat(nameBytes), email: "a@b.cd" });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(rest, { method: "POST", headers, body });
  expect(await answer.json()).toMatchObject({ code: "resource_exhausted" });
});

test("how much a caller may send is the server's to say, and does not limit its answers", async () => {
  await using pair = await openPair({
    services: [[UserService, { createUser: ({ name }) => ({ user: { name: name.repeat(100) } }) }]],
    maxRequestBytes: 60,
  });
  const create = (name: string) => pair.users.createUser({ name, email: "a@b.cd" });
  expect((await create("x".repeat(40))).user?.name).toHaveLength(4_000);
  await expect(create("x".repeat(80))).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test("a client refuses to send or read what is above 4 MiB", async () => {
  await using pair = await openPair({
    services: [[UserService, { createUser: ({ name }) => ({ user: { name: name.repeat(3 * 1024 * 1024) } }) }]],
  });
  const create = (name: string) => pair.users.createUser({ name, email: "a@b.cd" });
  await expect(create("x".repeat(fourMiB))).rejects.toMatchObject({ code: Code.ResourceExhausted });
  await expect(create("xx")).rejects.toMatchObject({ code: Code.ResourceExhausted });
  expect((await create("x")).user?.name).toHaveLength(3 * 1024 * 1024);
});

test("a path that nobody serves is UNIMPLEMENTED to a gRPC client, 404 in words to Connect, with a status body to others", async () => {
  await using pair = await openPair({ services: [[UserService, { getUser: () => aUser }]] });
  const orders = pair.client(OrderService);
  await expect(orders.getOrder({ id: "a" })).rejects.toMatchObject({
    code: Code.Unimplemented,
    rawMessage: "nothing is served at POST /shop.order.v1.OrderService/GetOrder",
  });
  const answer = await fetch(`${pair.origin}/nothing?a=b`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toEqual({ code: 5, message: "nothing is served at GET /nothing", details: [] });
  const headers = { "content-type": "application/proto" };
  const toConnect = await fetch(`${pair.origin}/no.Service/Get`, { method: "POST", headers });
  expect([toConnect.status, await toConnect.text()]).toEqual([404, "nothing is served at POST /no.Service/Get\n"]);
});

test("gRPC, gRPC-Web, Connect and REST are answered on one port; a fallback has the rest", async () => {
  const fallback = async () => ({ status: 418 });
  await using pair = await openPair({ services: [[UserService, { getUser: () => aUser }]], fallback });
  const rpc = `${pair.origin}/shop.user.v1.UserService/GetUser`;
  expect((await pair.users.getUser({ id: 1n })).user?.name).toBe("Ada");
  const connect = await fetch(rpc, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"id":1}',
  });
  expect(await connect.json()).toEqual({ user: { id: "1", name: "Ada" } });
  const web = await fetch(rpc, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: new Uint8Array([0, 0, 0, 0, 2, 8, 1]),
  });
  expect(Buffer.from(await web.arrayBuffer()).toString("latin1")).toContain("grpc-status: 0");
  expect(await (await fetch(`${pair.origin}/v1/users/1`)).json()).toMatchObject({ id: "1", name: "Ada" });
  expect((await fetch(`${pair.origin}/nothing`)).status).toBe(418);
});

test("/health tells name and version, and 503 once the server drains", async () => {
  await using pair = await openPair({ services: [[UserService, {}]], name: "user", version: "1.2.3" });
  const page = async () => {
    const answer = await fetch(`${pair.origin}/health`);
    return [answer.status, await answer.json()];
  };
  expect(await page()).toEqual([200, { status: "healthy", service: "user", version: "1.2.3" }]);
  pair.server.health.serving.set(false);
  expect(await page()).toEqual([503, { status: "unhealthy", service: "user", version: "1.2.3" }]);
});

test("at a drain unary calls finish, endless streams end with UNAVAILABLE, and nothing new begins", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = vi.fn();
  await using pair = await openPair({
    services: [
      [
        UserService,
        {
          async getUser() {
            begun();
            await gate.promise;
            return aUser;
          },
        },
      ],
      [
        OrderService,
        {
          async *watchOrder() {
            begun();
            yield {};
            await never();
          },
        },
      ],
    ],
  });
  const unary = pair.users.getUser({ id: 1n });
  const streamed = (async () => {
    for await (const _ of pair.client(OrderService).watchOrder({ id: "a" })) {
    }
  })().catch(ConnectError.from);
  await vi.waitFor(() => expect(begun).toHaveBeenCalledTimes(2));

  const drained = pair.server.drain(5_000);
  expect(await streamed).toMatchObject({ code: Code.Unavailable, rawMessage: "the server is draining: ask another" });
  await expect(pair.users.getUser({ id: 1n })).rejects.toMatchObject({ code: Code.Unavailable });
  gate.resolve();
  expect((await unary).user?.name).toBe("Ada");
  expect(await drained).toBe(0);
  expect(begun).toHaveBeenCalledTimes(2);
});
