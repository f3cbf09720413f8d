import { createClient } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { DiscoveryService, Lease } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { openServer } from "../../server/serve.ts";
import { openTestDiscovery, testInstance } from "../../test/suites/discovery-parts.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { grpcTransport } from "../../wire/grpc.ts";

/** Discovery behind a real port, and a client whose connection the test can cut. */
async function open() {
  const discovery = await openTestDiscovery();
  onTestFinished(() => discovery[Symbol.asyncDispose]());
  const server = await openServer({ services: [[DiscoveryService, discovery.discovery]] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const session = defaultEngine.connect(`${server.host}:${server.port}`);
  onTestFinished(() => session[Symbol.asyncDispose]());
  return { discovery, server, session, client: createClient(DiscoveryService, grpcTransport(session)) };
}

async function* renewals(id: string, until: AbortSignal) {
  yield { id };
  await new Promise((resolve) => until.addEventListener("abort", resolve));
}

test("a follower whose connection is cut leaves nothing behind", async () => {
  const { discovery, session, client } = await open();
  const steps = client.watch({})[Symbol.asyncIterator]();
  expect((await steps.next()).value?.event.case).toBe("snapshot");
  expect(discovery.registry.listeners).toBe(1);
  const cut = expect(steps.next()).rejects.toThrow();
  await session[Symbol.asyncDispose]();
  await cut;
  await expect.poll(() => discovery.registry.listeners).toBe(0);
});

test("a lease ends shortly after the connection of its stream is cut", async () => {
  const { discovery, session, client } = await open();
  await client.register({ instance: testInstance(), lease: Lease.KEPT_ALIVE });
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const answers = client.keepAlive(renewals("user-1", ended.signal))[Symbol.asyncIterator]();
  expect((await answers.next()).value).toMatchObject({ id: "user-1", known: true });
  await session[Symbol.asyncDispose]();
  const status = async () => {
    await discovery.clock.advance(500);
    return discovery.registry.get("user-1")?.lapsedAt !== undefined;
  };
  await expect.poll(status).toBe(true);
  expect(discovery.clock.now() - Date.UTC(2026, 0, 1)).toBeLessThan(14_000);
});

test("a drain does not wait for those who follow", async () => {
  const { discovery, server, client } = await open();
  const steps = client.watch({})[Symbol.asyncIterator]();
  await steps.next();
  const end = steps.next().catch(() => ({ done: true }));
  discovery.endStreams();
  expect(await server.drain(5_000)).toBe(0);
  expect(await end).toMatchObject({ done: true });
});
