import { expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

test("a gateway answers REST in the JSON that it is told to write", async () => {
  await using town = await openTown();
  await using _users = await town.join("user", [[UserService, annService([])]]);
  await using gateway = await town.gateway({ json: { useProtoFieldName: true, alwaysEmitImplicit: false } });
  const url = `http://127.0.0.1:${gateway.port}/v1/users`;
  const answer = await until(
    () => fetch(url),
    ({ status }) => status === 200,
  );
  expect(Object.keys((await answer.json()) as object)).toEqual(["users"]); // without it, nextPageToken too
});

test("what the gateway has no route for is told as a problem to those who ask for problems", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway();
  const headers = { accept: "application/problem+json" };
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/nothing`, { headers });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  expect(await answer.json()).toMatchObject({ title: "Not Found", detail: "nothing is served at GET /nothing" });
});
