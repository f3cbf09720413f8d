import { expect, onTestFailed, test } from "vitest";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { Mesh } from "../../mesh/mesh.ts";
import { eventually } from "../../testing/eventually.ts";
import { openCluster } from "../../testing/open-cluster.ts";
import { Program } from "../../testing/program.ts";
import { callTimes } from "./load.ts";

/** Resolves when discovery hands out `count` user replicas. */
function known(mesh: Mesh, count: number) {
  return eventually(`discovery knows ${count} user replicas`, async () => {
    const { instances } = await mesh.client(DiscoveryService).resolve({ service: UserService.typeName });
    return instances.length === count;
  });
}

test("discovery dies: calls go on, a client starts without it; it comes back and knows old and new replicas", async () => {
  await using cluster = await openCluster({ replicas: { user: 2 }, onFailure: onTestFailed });
  const { discoveryAddress } = cluster;
  const cacheDir = `${cluster.dataDir}/client`;
  await using mesh = await cluster.openMesh({ cacheDir });
  const users = mesh.client(UserService);
  const { user } = await users.createUser({ name: "Ada", email: "ada@example.com" });
  const id = user?.id ?? 0n;
  const read = () => users.getUser({ id });

  await cluster.replica("discovery").kill();
  expect(await callTimes(200, 4, read)).toEqual({ calls: 200, failures: {} });

  const file = "test/integration/read-user.ts";
  await using client = new Program({ name: "client", file, args: [discoveryAddress, cacheDir, String(id)], env: {} });
  expect(await client.ended, client.output).toEqual({ code: 0, signal: null });
  expect(client.output).toContain("read Ada");

  await cluster.start("user");
  await cluster.replica("discovery").start();
  await known(mesh, 3);

  await Promise.all([cluster.replica("user", 0).kill(), cluster.replica("user", 1).kill()]);
  await known(mesh, 1);
  await eventually("the mesh follows discovery again", read); // it looks for it every 2 s at the latest
  expect(await callTimes(20, 2, read)).toEqual({ calls: 20, failures: {} });
});
