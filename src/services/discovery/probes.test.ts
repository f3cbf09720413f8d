import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type HealthCheckSchema, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { openServer } from "../../server/serve.ts";
import { testRegistration } from "../../test/suites/discovery-parts.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { socketProbe, whyNoAnswer } from "./probes.ts";

type Asked = NonNullable<MessageInitShape<typeof HealthCheckSchema>["probe"]>;

/** What the probe says of a port: a verdict, or why there was no answer. */
async function ask(port: number, asked: Asked = { case: undefined }, probeAddress?: string) {
  const registration = testRegistration({ port, healthCheck: { probe: asked } });
  const signal = AbortSignal.timeout(5_000);
  const probe = socketProbe();
  return probe({ ...registration, ...(probeAddress && { probeAddress }) }, signal).catch(whyNoAnswer);
}

async function openHealthy() {
  const server = await openServer({ services: [[DiscoveryService, {}]] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function openAnswering(status: number) {
  const handler: HttpHandler = async () => ({ status, header: new Headers({ location: "/elsewhere" }) });
  const listener = await defaultEngine.listen({ host: "127.0.0.1", port: 0, handler });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return listener;
}

/** A port where nothing listens: one that was just given back. */
async function closedPort(): Promise<number> {
  await using listener = await openAnswering(200);
  return listener.port;
}

test("a server that is well is healthy by gRPC health, as a whole and by service", async () => {
  const { port } = await openHealthy();
  expect(await ask(port)).toEqual({ status: Status.HEALTHY, reason: "gRPC health says SERVING" });
  const service = DiscoveryService.typeName;
  expect(await ask(port, { case: "grpc", value: { service } })).toEqual({
    status: Status.HEALTHY,
    reason: `gRPC health of ${service} says SERVING`,
  });
});

test("a server that says it is not serving is unhealthy", async () => {
  const { port, health } = await openHealthy();
  health.serving.set(false);
  expect(await ask(port)).toEqual({ status: Status.UNHEALTHY, reason: "gRPC health says NOT_SERVING" });
});

test("a server that does not know the service is unhealthy and says so", async () => {
  const { port } = await openHealthy();
  const said = await ask(port, { case: "grpc", value: { service: "shop.user.v1.UserService" } });
  expect(said).toMatchObject({ status: Status.UNHEALTHY, reason: expect.stringMatching(/NotFound/) });
});

test("a port that speaks HTTP but no gRPC is unhealthy", async () => {
  const { port } = await openAnswering(404);
  expect(await ask(port)).toMatchObject({ status: Status.UNHEALTHY });
});

test.each([
  [200, Status.HEALTHY],
  [204, Status.HEALTHY],
  [302, Status.UNHEALTHY],
  [404, Status.UNHEALTHY],
  [503, Status.UNHEALTHY],
])("an HTTP answer of %d is status %d", async (answer, status) => {
  const { port } = await openAnswering(answer);
  const url = `http://127.0.0.1:${port}/health`;
  expect(await ask(1, { case: "http", value: { url } })).toEqual({ status, reason: `GET ${url} answers ${answer}` });
});

test("a port that accepts connections is healthy by TCP", async () => {
  const { port } = await openAnswering(200);
  expect(await ask(port, { case: "tcp", value: {} })).toEqual({
    status: Status.HEALTHY,
    reason: `port ${port} accepts connections`,
  });
});

test("an address of its own is asked where the registration has one", async () => {
  const { port } = await openHealthy();
  const address = `localhost:${port}`;
  expect(await ask(1, { case: "tcp", value: {} }, address)).toMatchObject({ status: Status.HEALTHY });
  expect(await ask(1, { case: "grpc", value: {} }, address)).toMatchObject({ status: Status.HEALTHY });
});

test("where nothing listens, every probe says just that", async () => {
  const port = await closedPort();
  const http = { case: "http", value: { url: `http://127.0.0.1:${port}/` } } as const;
  for (const asked of [undefined, http, { case: "tcp", value: {} } as const]) {
    expect(await ask(port, asked)).toBe("nothing listens there");
  }
});
