import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { openShop } from "../test/suites/gateway-parts.ts";

test("a Connect call by GET whose message is no base64 is its caller's error, at the gateway and at the service", async () => {
  await using shop = await openShop();
  for (const port of [shop.gateway.port, shop.users.port]) {
    for (const message of ["!!!", "%25", "%zz", "AAAAA", "%FF"]) {
      const query = `connect=v1&encoding=proto&base64=1&message=${message}`;
      const answer = await fetch(`http://127.0.0.1:${port}/shop.user.v1.UserService/GetUser?${query}`);
      expect([answer.status, await answer.json()]).toMatchObject([400, { code: "invalid_argument" }]);
    }
    const about = { baseUrl: `http://127.0.0.1:${port}`, httpVersion: "1.1", useHttpGet: true } as const;
    const { user } = await createClient(UserService, createConnectTransport(about)).getUser({ id: 1n });
    expect(user?.name).toBe("Ann");
  }
});
