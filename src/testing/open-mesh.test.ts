import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import type { EndedAttempt } from "../mesh/hooks.ts";
import { fakeClock, openTestMesh, openTestServer, seededRandom } from "./index.ts";

const users = { getUser: ({ id }: { id: bigint }) => ({ user: { id } }) };

test("a test server listens on an address of its own until it is closed", async () => {
  await using one = await openTestServer([[UserService, users]]);
  await using other = await openTestServer([[UserService, users]]);
  expect(one.address).toBe(`127.0.0.1:${one.port}`);
  expect(other.address).not.toBe(one.address);
  const health = await fetch(`http://${one.address}/health`);
  expect(health.status).toBe(200);
});

test("a test mesh calls through the steps of both ends", async () => {
  await using mesh = await openTestMesh([[UserService, users]]);
  const client = mesh.client(UserService);
  expect((await client.getUser({ id: 42n })).user?.id).toBe(42n);
  await expect(client.getUser({ id: 0n })).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("while one replica of a test mesh drains, the other answers", async () => {
  await using mesh = await openTestMesh([[UserService, users]], { replicas: 2, random: seededRandom(1) });
  const client = mesh.client(UserService);
  await mesh.servers[0]?.drain();
  for (let id = 1n; id <= 4n; id++) expect((await client.getUser({ id })).user?.id).toBe(id);
});

test("a fake clock's time passes only when told to", async () => {
  const clock = fakeClock(0);
  let woken = false;
  const sleeping = clock.sleep(100).then(() => {
    woken = true;
  });
  await clock.advance(99);
  expect(woken).toBe(false);
  await clock.advance(1);
  await sleeping;
  expect(clock.now()).toBe(100);
});

test("callers of what may be repeated do not notice that one of three fails half of what it is asked", async () => {
  const ended = { attempts: 0, broken: 0 };
  const hooks = {
    attemptEnded({ fault }: EndedAttempt) {
      ended.attempts++;
      if (fault !== undefined) ended.broken++;
    },
  };
  await using mesh = await openTestMesh([[UserService, users]], { replicas: 3, balance: "round-robin", hooks });
  const endpoint = mesh.servers[0]?.address ?? "";
  mesh.faults.set({ faults: [{ method: "GetUser", endpoint, sharePercent: 50, error: { code: "UNAVAILABLE" } }] });
  const client = mesh.client(UserService);
  for (let id = 1n; id <= 100n; id++) expect((await client.getUser({ id })).user?.id).toBe(id);
  expect(ended.broken).toBeGreaterThan(0);
  expect(ended.attempts).toBeGreaterThanOrEqual(100 + ended.broken); // and hedges, where one was slow
  mesh.faults.clear();
  const { broken } = ended;
  for (let id = 1n; id <= 12n; id++) await client.getUser({ id });
  expect(ended.broken).toBe(broken);
});
