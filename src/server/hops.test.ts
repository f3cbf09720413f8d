import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { currentCall } from "../call/context.ts";
import { openPair } from "../testing/open-pair.ts";

const headers = { "heddle-criticality": "sheddable", "heddle-retry-depth": "2", "grpc-previous-rpc-attempts": "3" };

async function openShop() {
  const seen: unknown[] = [];
  const getUser = () => {
    const { criticality, attempt, retryDepth } = currentCall() ?? {};
    seen.push({ criticality, attempt, retryDepth });
    return {};
  };
  return { ...(await openPair({ services: [[UserService, { getUser }]] })), seen };
}

test("a handler's call knows how much it matters, which attempt it is and how deep, over gRPC and over Connect", async () => {
  await using shop = await openShop();
  const body = '{"id":"1"}';
  const post = (more: Record<string, string>) =>
    fetch(`${shop.origin}/shop.user.v1.UserService/GetUser`, {
      method: "POST",
      headers: { "content-type": "application/json", ...more },
      body,
    });
  await shop.users.getUser({ id: 1n }, { headers });
  await post(headers);
  await shop.users.getUser({ id: 1n });
  await post({});
  const told = { criticality: "sheddable", attempt: 4, retryDepth: 2 };
  const untold = { criticality: "normal", attempt: 1, retryDepth: 0 };
  expect(shop.seen).toEqual([told, told, untold, untold]);
});
