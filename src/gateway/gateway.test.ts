import { createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, transportsTo, until } from "../test/suites/gateway-parts.ts";

test("a service that registers is routed without a restart, over every protocol", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  expect((await fetch(`${url}/v1/users/1`)).status).toBe(404);

  await using _users = await town.join("user", [[UserService, annService()]]);
  const answer = await until(
    () => fetch(`${url}/v1/users/1`),
    ({ status }) => status !== 404,
  );
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ id: "1", name: "Ann" });
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    const { user } = await createClient(UserService, transport).getUser({ id: 1n });
    expect([protocol, user?.name]).toEqual([protocol, "Ann"]);
  }
});
