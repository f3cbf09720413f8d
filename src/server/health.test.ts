import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { errorReason } from "../call/errors.ts";
import { openPair } from "../testing/open-pair.ts";

async function openHealth() {
  const pair = await openPair({ services: [[UserService, {}]] });
  return Object.assign(pair, { health: pair.client(Health), serving: pair.server.health.serving });
}

/** Follows a watch; `ended` is how it ended. */
function follow(watch: AsyncIterable<{ status: Status }>) {
  const statuses: Status[] = [];
  const ended = (async () => {
    for await (const { status } of watch) statuses.push(status);
  })().then(() => undefined, ConnectError.from);
  return { statuses, ended };
}

test("Check tells of the whole and of each service, and knows no others", async () => {
  await using pair = await openHealth();
  for (const service of ["", UserService.typeName]) {
    expect(await pair.health.check({ service })).toMatchObject({ status: Status.SERVING });
  }
  const error = await pair.health.check({ service: "nobody" }).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.NotFound });
  expect(errorReason(error as ConnectError)?.reason).toBe("SERVICE_UNKNOWN");
  pair.serving.set(false);
  expect(await pair.health.check({})).toMatchObject({ status: Status.NOT_SERVING });
});

test("List tells of all at once", async () => {
  await using pair = await openHealth();
  const { statuses } = await pair.health.list({});
  expect(Object.keys(statuses)).toEqual(["", UserService.typeName]);
  expect(Object.values(statuses).every(({ status }) => status === Status.SERVING)).toBe(true);
});

test("Watch tells the status now and each change, and ends with UNAVAILABLE when the server has drained", async () => {
  await using pair = await openHealth();
  const { statuses, ended } = follow(pair.health.watch({}));
  await vi.waitFor(() => expect(statuses).toEqual([Status.SERVING]));
  pair.serving.set(false);
  await vi.waitFor(() => expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING]));
  const drained = pair.server.drain(5_000);
  expect(await ended).toMatchObject({ code: Code.Unavailable });
  expect(await drained).toBe(0);
});

test("Watch of a service that is not served says so and stays open; a watcher that leaves leaves nothing", async () => {
  await using pair = await openHealth();
  const leave = new AbortController();
  const { statuses, ended } = follow(pair.health.watch({ service: "nobody" }, { signal: leave.signal }));
  await vi.waitFor(() => expect(statuses).toEqual([Status.SERVICE_UNKNOWN]));
  await vi.waitFor(() => expect(pair.serving.followers).toBe(1));
  leave.abort();
  expect(await ended).toMatchObject({ code: Code.Canceled });
  await vi.waitFor(() => expect(pair.serving.followers).toBe(0));
});
