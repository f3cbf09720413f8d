import { expect, onTestFailed, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { callTimes, type LoadReport } from "./load.ts";
import { restOk } from "./rest.ts";

const [warmUpReads, reads, inFlight] = [1_000, 2_000, 50];
const noneFailed: LoadReport = { calls: reads, failures: {} };

/** Kills one of the two user replicas when a quarter of the reads has begun. Programs that have just started are slow. */
async function readAndKill(cluster: Cluster, read: () => Promise<unknown>): Promise<LoadReport> {
  await callTimes(warmUpReads, inFlight, read);
  let killed: Promise<unknown> | undefined;
  const report = await callTimes(reads, inFlight, (turn) => {
    if (turn === reads / 4) killed = cluster.replica("user", 1).kill();
    return read();
  });
  await killed;
  return report;
}

async function overMesh(): Promise<LoadReport> {
  await using cluster = await openCluster({ replicas: { user: 2 }, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const users = mesh.client(UserService);
  const { user } = await users.createUser({ name: "Ada", email: "ada@example.com" });
  return await readAndKill(cluster, () => users.getUser({ id: user?.id ?? 0n }));
}

async function overGateway(): Promise<LoadReport> {
  await using cluster = await openCluster({ replicas: { user: 2, gateway: 1 }, onFailure: onTestFailed });
  const { address } = cluster.replica("gateway");
  const ada = { name: "Ada", email: "ada@example.com" };
  const user = await eventually("the gateway knows the users", () => restOk(address, "/v1/users", ada));
  return await readAndKill(cluster, () => restOk(address, `/v1/users/${user.id}`));
}

test("one of two replicas dies by SIGKILL among 2000 reads, and no read fails", async () => {
  expect(await overMesh()).toEqual(noneFailed);
});

test("the same over the gateway's REST, with connections kept alive", async () => {
  expect(await overGateway()).toEqual(noneFailed);
});
