import { expect, onTestFailed, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { callTimes, type LoadReport } from "./load.ts";
import { restOk } from "./rest.ts";

const [reads, inFlight] = [2_000, 50];

/**
 * Programs that have just started are slow, and the contract gives an attempt 400 ms: waits until this machine answers
 * 50 reads at once well within that, several times over, so that what fails then is the kill's doing.
 */
async function warmUp(read: () => Promise<unknown>): Promise<void> {
  const quick = async () => {
    for (let batch = 0; batch < 5; batch++) {
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: inFlight }, read));
      if (performance.now() - startedAt > 120) return false;
    }
    return true;
  };
  await eventually(`${inFlight} reads at once take less than 120 ms`, quick, { withinMs: 80_000, everyMs: 200 });
}

/** Kills one of the two user replicas when a quarter of the reads has begun. */
async function readAndKill(cluster: Cluster, read: () => Promise<unknown>): Promise<LoadReport> {
  await warmUp(read);
  let killed: Promise<unknown> | undefined;
  const report = await callTimes(reads, inFlight, (turn) => {
    if (turn === reads / 4) killed = cluster.replica("user", 1).kill();
    return read();
  });
  await killed;
  process.stdout.write(`${report.calls} reads while a replica is killed\n`);
  return report;
}

test("one of two replicas dies by SIGKILL among 2000 reads, and no read fails", async () => {
  await using cluster = await openCluster({ replicas: { user: 2 }, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const users = mesh.client(UserService);
  const { user } = await users.createUser({ name: "Ada", email: "ada@example.com" });
  const report = await readAndKill(cluster, () => users.getUser({ id: user?.id ?? 0n }));
  expect(report).toEqual({ calls: reads, failures: {} });
});

test("the same over the gateway's REST, with connections kept alive", async () => {
  await using cluster = await openCluster({ replicas: { user: 2, gateway: 1 }, onFailure: onTestFailed });
  const { address } = cluster.replica("gateway");
  const ada = { name: "Ada", email: "ada@example.com" };
  const user = await eventually("the gateway knows the users", () => restOk(address, "/v1/users", ada));
  const report = await readAndKill(cluster, () => restOk(address, `/v1/users/${user.id}`));
  expect(report).toEqual({ calls: reads, failures: {} });
});
