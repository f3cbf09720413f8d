import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
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
