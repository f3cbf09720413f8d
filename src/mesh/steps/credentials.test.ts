import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { runInCall } from "../../call/context.ts";
import { errorReason } from "../../call/errors.ts";
import { away, type Fleet, named, openFleet } from "../../testing/fake-fleet.ts";
import { openTestMesh } from "../../testing/open-mesh.ts";
import { openTestServer } from "../../testing/open-server.ts";
import { bearer, callersToken } from "../credentials.ts";
import { openMesh } from "../mesh.ts";
import { staticResolver } from "../resolve/static.ts";

const shown = (fleet: Fleet) => fleet.asked.map(({ header }) => header.get("authorization"));
const to = [UserService];
const ask = (fleet: Fleet, options = {}) => fleet.users.getUser({ id: 1n }, options);

test("by default nobody is shown what a caller proves itself with", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  await runInCall({ authorization: "Bearer ada" }, () => ask(fleet));
  expect(shown(fleet)).toEqual([null]);
});

test("a mesh that is told to passes the caller's token on to the calls that are made for it, and to no others", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials: callersToken({ to }) });
  await runInCall({ authorization: "Bearer ada" }, () => ask(fleet));
  await runInCall({ authorization: "Bearer bob" }, () => ask(fleet));
  await runInCall({}, () => ask(fleet));
  await ask(fleet);
  expect(shown(fleet)).toEqual(["Bearer ada", "Bearer bob", null, null]);
});

test("a password is not passed on", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials: callersToken({ to }) });
  await runInCall({ authorization: "Basic YWRhOmFkYQ==" }, () => ask(fleet));
  expect(shown(fleet)).toEqual([null]);
});

test("services that are not named see nothing", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials: callersToken({ to: [OrderService] }) });
  await runInCall({ authorization: "Bearer ada" }, () => ask(fleet));
  expect(shown(fleet)).toEqual([null]);
});

test("where endpoints come from elsewhere than discovery, credentials have to name who sees them", async () => {
  const resolver = staticResolver({ [UserService.typeName]: ["a:1"] });
  await expect(openMesh({ resolver, credentials: callersToken() })).rejects.toThrow(/`to`/);
  await expect(openMesh({ resolver, credentials: bearer("x") })).rejects.toThrow(/`to`/);
});

test("what a call brings itself goes out as it is", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials: bearer("own", { to }) });
  await ask(fleet, { headers: { authorization: "Bearer other" } });
  expect(shown(fleet)).toEqual(["Bearer other"]);
});

test("a program shows its own token, which may have to be asked for, call by call", async () => {
  let count = 0;
  await using fleet = await openFleet(
    { "a:1": named("Ada") },
    { credentials: bearer(async () => `own-${++count}`, { to }) },
  );
  await ask(fleet);
  await ask(fleet);
  expect(shown(fleet)).toEqual(["Bearer own-1", "Bearer own-2"]);
});

test("a program's own token stands in where there is no caller's", async () => {
  const credentials = callersToken({ to, otherwise: bearer("own") });
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials });
  await ask(fleet);
  await runInCall({ authorization: "Bearer ada" }, () => ask(fleet));
  expect(shown(fleet)).toEqual(["Bearer own", "Bearer ada"]);
});

test("every attempt shows the same, and the token is asked for once", async () => {
  let count = 0;
  const credentials = bearer(() => `own-${++count}`, { to });
  await using fleet = await openFleet({ "a:1": away, "b:1": away }, { credentials });
  const asking = ask(fleet).catch(() => {});
  await fleet.clock.advance(1_000);
  await asking;
  expect(shown(fleet).length).toBeGreaterThan(1);
  expect(new Set(shown(fleet))).toEqual(new Set(["Bearer own-1"]));
});

test("a token that cannot be had makes the call UNAVAILABLE; one that takes too long ends with the deadline", async () => {
  const broken = bearer(() => Promise.reject(new Error("secret details")), { to });
  await using fleet = await openFleet({ "a:1": named("Ada") }, { credentials: broken });
  const error = await ask(fleet).then(
    () => expect.fail("it was answered"),
    (reason: ConnectError) => reason,
  );
  expect([error.code, errorReason(error)?.reason]).toEqual([Code.Unavailable, "CREDENTIALS_UNAVAILABLE"]);
  expect(error.message).not.toContain("secret");
  await using slow = await openFleet(
    { "a:1": named("Ada") },
    { credentials: bearer(() => new Promise(() => {}), { to }) },
  );
  const late = ask(slow).catch((reason) => reason);
  await slow.clock.advance(60_000);
  expect(await late).toMatchObject({ code: Code.DeadlineExceeded });
});

test("over real sockets, a handler's calls arrive as the caller who called the handler", async () => {
  const seen: (string | null)[] = [];
  await using users = await openTestServer([
    [
      UserService,
      {
        getUser(_, { requestHeader }) {
          seen.push(requestHeader.get("authorization"));
          return {};
        },
      },
    ],
  ]);
  const resolver = staticResolver({ [UserService.typeName]: [users.address] });
  await using inner = await openMesh({ resolver, credentials: callersToken({ to }) });
  await using outer = await openTestMesh([
    [
      OrderService,
      {
        async getOrder() {
          await inner.client(UserService).getUser({ id: 1n });
          return {};
        },
      },
    ],
  ]);
  const orders = createClient(OrderService, outer.transport);
  await orders.getOrder({ id: "1" }, { headers: { authorization: "Bearer ada" } });
  await orders.getOrder({ id: "1" });
  expect(seen).toEqual(["Bearer ada", null]);
});
