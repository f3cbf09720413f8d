import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { create, type DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createClient, createRouterTransport } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { Server, ServerCredentials, type sendUnaryData, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { GetUserResponseSchema, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { serviceDefinitionOf } from "../interop/service-definition.ts";
import { scratchService } from "../testing/scratch-contract.ts";
import { nodeListener, transcoder } from "./index.ts";

async function open(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await promisify(server.close.bind(server))();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

async function json(url: string, body?: string): Promise<readonly [status: number, body: unknown]> {
  const answer = await fetch(url, body === undefined ? {} : post(body));
  return [answer.status, await answer.json()];
}

function post(body: string, headers: Record<string, string> = { "content-type": "application/json" }): RequestInit {
  return { method: "POST", body, headers };
}

const routes = (router: ConnectRouter) =>
  router.service(UserService, {
    getUser: ({ id }) => {
      if (id === 7n) throw new ConnectError("no such user", Code.NotFound);
      return { user: { id, name: "Ann" } };
    },
    createUser: ({ name }) => ({ user: { id: 1n, name } }),
  });

test("a Connect router gets REST by one line of node:http, and keeps its own clients", async () => {
  const rest = transcoder({ services: [UserService], transport: createRouterTransport(routes) });
  await using server = await open(nodeListener(rest, connectNodeAdapter({ routes })));
  expect(await json(`${server.url}/v1/users/42`)).toMatchObject([200, { id: "42", name: "Ann" }]);
  expect(await json(`${server.url}/v1/users/7`)).toMatchObject([404, { code: 5, message: "no such user" }]);
  expect(await json(`${server.url}/v1/users?x=1`)).toMatchObject([400, { message: "x: unknown query parameter" }]);
  expect(await json(`${server.url}/v1/users`, '{"name":"Bea"}')).toMatchObject([201, { name: "Bea" }]);
  const transport = createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });
  expect((await createClient(UserService, transport).getUser({ id: 3n })).user?.name).toBe("Ann");
});

test("a gRPC service of another library gets REST by a transcoder in front of it", async () => {
  const upstream = new Server();
  upstream.addService(serviceDefinitionOf(UserService), {
    getUser({ request }: { request: { id: bigint } }, done: sendUnaryData<unknown>) {
      if (request.id === 7n) done({ code: status.NOT_FOUND, details: "no such user" }, null);
      else done(null, create(GetUserResponseSchema, { user: { id: request.id, name: "Ann" } }));
    },
  });
  const port = await promisify(upstream.bindAsync.bind(upstream))("127.0.0.1:0", ServerCredentials.createInsecure());
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
  await using server = await open(nodeListener(transcoder({ services: [UserService], transport })));
  expect(await json(`${server.url}/v1/users/42`)).toMatchObject([200, { id: "42", name: "Ann" }]);
  expect(await json(`${server.url}/v1/users/7`)).toMatchObject([404, { code: 5, message: "no such user" }]);
  expect(await json(`${server.url}/nothing`)).toMatchObject([404, { message: "nothing is served at GET /nothing" }]);
  upstream.forceShutdown();
});

test("an upstream that cannot be reached is a 503 that says nothing of where it would be", async () => {
  const closed = await open(() => {});
  await closed[Symbol.asyncDispose]();
  const transport = createGrpcTransport({ baseUrl: closed.url });
  await using server = await open(nodeListener(transcoder({ services: [UserService], transport })));
  const [code, body] = await json(`${server.url}/v1/users/42`);
  expect(code).toBe(503);
  expect(body).toEqual({ code: 14, message: "the service cannot be reached at the moment", details: [] });
});

const bare: DescService = scratchService({ name: "Echo" }, { name: "Many", serverStreaming: true });
const echo = createRouterTransport((router) => {
  router.service(bare, {
    echo: (request: object) => request,
    async *many(request: object) {
      yield request;
      yield request;
    },
  } as never);
});

test("methods without annotations are reached by POST /package.Service/Method in plain JSON, unary and streamed", async () => {
  await using server = await open(nodeListener(transcoder({ services: [bare], transport: echo })));
  const path = `${server.url}/scratch.v1.ScratchService`;
  const body = '{"small_int":5}';
  expect(await json(`${path}/Echo`, body)).toMatchObject([200, { smallInt: 5 }]);
  expect(await json(`${path}/Echo?name=x`, body)).toMatchObject([400, { message: expect.stringContaining("name") }]);
  const form = await fetch(`${path}/Echo`, post("a=b", { "content-type": "application/x-www-form-urlencoded" }));
  expect([form.status, await form.text()]).toEqual([415, expect.stringContaining("not a form")]);
  const streamed = await (await fetch(`${path}/Many`, post(body))).text();
  expect(
    streamed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ smallInt: 5 }, { smallInt: 5 }]);
});

const others: readonly (readonly [what: string, init: RequestInit])[] = [
  ["GET", {}],
  ["a Connect client's POST", post("{}", { "content-type": "application/json", "connect-protocol-version": "1" })],
  ["binary Protobuf", post("", { "content-type": "application/proto" })],
  ["Connect's streams", post("", { "content-type": "application/connect+json" })],
  ["gRPC", post("", { "content-type": "application/grpc+proto" })],
  ["gRPC-Web", post("", { "content-type": "application/grpc-web-text" })],
];

test.each(others)("at an RPC's path %s is left to a handler of its protocol", async (_, init) => {
  const rest = transcoder({ services: [bare], transport: echo });
  await using server = await open(
    nodeListener(rest, (_request: object, response: ServerResponse) => void response.writeHead(299).end()),
  );
  const answer = await fetch(`${server.url}/scratch.v1.ScratchService/Echo`, init);
  expect(answer.status).toBe(299);
});
