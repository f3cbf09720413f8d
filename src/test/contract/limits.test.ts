import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, describe, expect, test } from "vitest";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { openServer } from "../../server/serve.ts";
import { httpStatusOf } from "./failure.ts";

const oversize = 4 * 1024 * 1024 + 1;
const never = new Promise<never>(() => {});

/** Users of whom number 1 is slow, and number 2 has a name that is too long to send. */
const server = await openServer({
  services: [
    [
      UserService,
      {
        getUser: ({ id }: { id: bigint }) => (id === 1n ? never : { user: { id, name: "x".repeat(oversize) } }),
        listUsers: () => ({}),
        createUser: () => ({}),
      },
    ],
  ],
});
afterAll(() => server[Symbol.asyncDispose]());
const origin = `http://${server.host}:${server.port}`;
const getUserUrl = `${origin}/shop.user.v1.UserService/GetUser`;

interface Protocol {
  readonly name: string;
  readonly timeoutHeader: readonly [string, string];
  readonly open: (options: { readonly baseUrl: string; readonly gzip?: boolean }) => Transport;
}

/** Limits of the client's own are lifted, so that the server's are what is seen. */
function common({ baseUrl, gzip = false }: { readonly baseUrl: string; readonly gzip?: boolean }) {
  return { baseUrl, writeMaxBytes: 2 ** 30, readMaxBytes: 2 ** 30, ...(gzip && { sendCompression: compressionGzip }) };
}

const protocols: readonly Protocol[] = [
  {
    name: "gRPC",
    timeoutHeader: ["grpc-timeout", "50m"],
    open: (options) => createGrpcTransport(common(options)),
  },
  {
    name: "gRPC-Web",
    timeoutHeader: ["grpc-timeout", "50m"],
    open: (options) => createGrpcWebTransport({ ...common(options), httpVersion: "1.1" }),
  },
  {
    name: "Connect",
    timeoutHeader: ["connect-timeout-ms", "50"],
    open: (options) => createConnectTransport({ ...common(options), httpVersion: "2" }),
  },
  {
    name: "Connect JSON",
    timeoutHeader: ["connect-timeout-ms", "50"],
    open: (options) => createConnectTransport({ ...common(options), httpVersion: "1.1", useBinaryFormat: false }),
  },
];

describe.each(protocols)("over $name", ({ open, timeoutHeader }) => {
  const users = createClient(UserService, open({ baseUrl: origin }));

  test("a request over 4 MiB is RESOURCE_EXHAUSTED, and the next one is answered", async () => {
    const request = { name: "x".repeat(oversize), email: "ada@example.com" };
    expect(await codeOf(users.createUser(request))).toBe(Code.ResourceExhausted);
    await users.listUsers({});
  });

  test("a request that is over 4 MiB only once unpacked is RESOURCE_EXHAUSTED too", async () => {
    const packed = createClient(UserService, open({ baseUrl: origin, gzip: true }));
    const request = { name: "x".repeat(2 * oversize), email: "ada@example.com" };
    expect(await codeOf(packed.createUser(request))).toBe(Code.ResourceExhausted);
  });

  test("an answer over 4 MiB is RESOURCE_EXHAUSTED", async () => {
    expect(await codeOf(users.getUser({ id: 2n }))).toBe(Code.ResourceExhausted);
  });

  test("a deadline that only the server is told of ends the call there, with DEADLINE_EXCEEDED", async () => {
    const headers = new Headers([timeoutHeader as [string, string]]);
    expect(await codeOf(users.getUser({ id: 1n }, { headers }))).toBe(Code.DeadlineExceeded);
  });

  test("a deadline of the client's is the server's too", async () => {
    expect(await codeOf(users.getUser({ id: 1n }, { timeoutMs: 50 }))).toBe(Code.DeadlineExceeded);
  });

  test("a method that nobody serves is UNIMPLEMENTED", async () => {
    expect(await codeOf(users.deleteUser({ id: 1n }))).toBe(Code.Unimplemented);
    const elsewhere = createClient(UserService, open({ baseUrl: `${origin}/nowhere` }));
    expect(await codeOf(elsewhere.listUsers({}))).toBe(Code.Unimplemented);
  });
});

test("without a caller's deadline the contract's counts: GetUser has a second, over REST too", async () => {
  const startedAt = performance.now();
  const response = await fetch(`${origin}/v1/users/1`);
  expect(response.status).toBe(httpStatusOf[Code.DeadlineExceeded]);
  expect(await response.json()).toMatchObject({ code: Code.DeadlineExceeded });
  expect(performance.now() - startedAt).toBeGreaterThan(900);
});

test.each([
  // what is asked, what HTTP says; how it is asked
  ["an RPC path that nobody serves", 404, "/shop.user.v1.UserService/Nope", post("application/json", "{}")],
  ["a REST path that nobody serves", 404, "/v1/nothing", {}],
  ["a path that is nothing at all", 404, "/", {}],
  ["a Connect error, by its status", 400, "/shop.user.v1.UserService/GetUser", post("application/json", "{}")],
  ["an RPC in a type that no protocol has", 415, "/shop.user.v1.UserService/GetUser", post("text/plain", "{}")],
  ["a REST body that is no JSON", 415, "/v1/users", post("text/plain", "{}")],
  ["a REST body that is a form", 415, "/v1/users", post("application/x-www-form-urlencoded", "a=b")],
  ["a REST body over 4 MiB", 413, "/v1/users", post("application/json", `{"name":"${"x".repeat(oversize)}"}`)],
  ["a REST body that breaks off", 400, "/v1/users", post("application/json", "{")],
  ["a REST query that no field has", 400, "/v1/users?page=1", {}],
  ["a REST body with what no field is called", 400, "/v1/users", post("application/json", '{"nickname":"Al"}')],
  [
    "a talk both ways over HTTP/1.1",
    505,
    `/${ServerReflection.typeName}/ServerReflectionInfo`,
    post("application/connect+json", ""),
  ],
  ["a health page", 200, "/health", {}],
] as const)("%s: %i", async (_, status, path, init) => {
  const response = await fetch(origin + path, init);
  expect(response.status).toBe(status);
  await response.arrayBuffer();
});

test.each([
  ["PUT", "/v1/users", ["GET", "HEAD", "POST"]],
  ["POST", "/v1/users/1", ["DELETE", "GET", "HEAD", "PATCH", "PUT"]],
  ["POST", "/api/users/1", ["DELETE", "GET", "HEAD", "PATCH", "PUT"]],
  ["GET", "/shop.user.v1.UserService/CreateUser", ["POST"]],
  ["DELETE", "/shop.user.v1.UserService/GetUser", ["GET", "POST"]],
])("%s %s is 405, and Allow names what is", async (method, path, allow) => {
  const response = await fetch(origin + path, { method });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")?.split(/, */).sort()).toEqual(allow);
  await response.arrayBuffer();
});

test("a gRPC client hears of an unknown method in gRPC's words", async () => {
  const response = await fetch(`${origin}/shop.user.v1.UserService/Nope`, post("application/grpc-web+proto", ""));
  expect([response.status, response.headers.get("grpc-status")]).toEqual([200, "12"]);
});

test("a timeout that is no number is refused, not ignored", async () => {
  const headers = { "content-type": "application/json", "connect-timeout-ms": "soon" };
  const response = await fetch(getUserUrl, { method: "POST", headers, body: '{"id":"2"}' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "invalid_argument" });
});

function post(type: string, body: string): RequestInit {
  return { method: "POST", headers: { "content-type": type }, body };
}

async function codeOf(call: Promise<unknown>): Promise<Code> {
  const reason = await call.then(
    () => expect.fail("the call succeeded"),
    (error: unknown) => error,
  );
  if (!(reason instanceof ConnectError)) throw reason;
  return reason.code;
}
