import { type DescMethodUnary, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { systemRandom } from "../../base/random.ts";
import { rawMessage } from "../../call/raw-message.ts";
import { annService } from "../../test/suites/gateway-parts.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import { timeoutsWithDefault } from "../upstream/timeouts.ts";
import type { PassOn } from "../upstream/way.ts";
import type { Contract } from "./contract.ts";
import { RouteTable } from "./route-table.ts";

const upstream = createRouterTransport((router) => router.service(UserService, annService()));

/** What the mesh does for REST: calls, and leaves the answer as bytes. */
const passOn: PassOn = async ({ method, header, message }) => {
  const asked = message as Message;
  const res = await upstream.unary(method as DescMethodUnary, undefined, undefined, header, asked);
  return { ...res, message: rawMessage(toBinary(method.output, res.message)) } as never;
};

function table(): RouteTable {
  const timeoutOf = timeoutsWithDefault(5_000);
  const way = { upstream, passOn, steps: [], timeoutOf, clock: systemClock, random: systemRandom };
  return new RouteTable({ way, log: silentLogger });
}

const contract = (service: DescService, digest = "1"): Contract => ({ service, owner: "user", digest });
const getAt = (path: string) => scratchService({ name: "Get", rule: { pattern: { case: "get", value: path } } });

async function status(routes: RouteTable, path: string): Promise<number | undefined> {
  const answer = await routes.routes.value.answer(restRequest("GET", path));
  return answer && (await readAnswer(answer)).status;
}

test("what is offered is routed at once; a request under way keeps the routes it began with", async () => {
  const routes = table();
  const before = routes.routes.value;
  expect(await status(routes, "/v1/users/1")).toBeUndefined();
  routes.offer(contract(UserService));
  expect(await status(routes, "/v1/users/1")).toBe(200);
  expect(await before.answer(restRequest("GET", "/v1/users/1"))).toBeUndefined();
});

test("the same contract again changes nothing", () => {
  const routes = table();
  routes.offer(contract(UserService));
  const before = routes.routes.value;
  routes.offer(contract(UserService));
  expect(routes.routes.value).toBe(before);
});

test("a contract that conflicts is refused until what it conflicts with is gone", async () => {
  const routes = table();
  const [mine, other] = [getAt("/v1/things/{name}"), getAt("/v1/other/{name}")];
  const rival: DescService = { ...getAt("/v1/things/{name}"), typeName: "rival.v1.RivalService" };
  routes.offer(contract(mine));
  routes.offer(contract(rival));
  expect([...routes.routes.value.contracts.keys()]).toEqual(["scratch.v1.ScratchService"]);
  expect([...routes.routes.value.refused.keys()]).toEqual(["rival.v1.RivalService"]);
  routes.offer(contract(other, "2"));
  expect([...routes.routes.value.contracts.keys()]).toEqual(["scratch.v1.ScratchService", "rival.v1.RivalService"]);
  expect(routes.routes.value.refused.size).toBe(0);
});

test("what was refused is forgotten when the service describes itself as it did before", () => {
  const routes = table();
  routes.offer(contract(UserService));
  routes.refuse(UserService.typeName, "nonsense");
  expect(routes.routes.value.refused.get(UserService.typeName)).toEqual({ problem: "nonsense" });
  routes.offer(contract(UserService));
  expect(routes.routes.value.refused.size).toBe(0);
});

test("a unary call takes what its contract says, or the gateway's own time; a stream has no end", () => {
  const timeoutOf = timeoutsWithDefault(7_000);
  const silent = getAt("/v1/things/{name}").method.get;
  expect([timeoutOf(UserService.method.getUser), silent && timeoutOf(silent)]).toEqual([1_000, 7_000]);
});

test("replicas of one version with comments and without change places, and what is said stays", () => {
  const routes = table();
  const [silent, saying] = [contract(UserService), { ...contract(UserService), comments: "1" }];
  const kept = () => routes.routes.value.contracts.get(UserService.typeName);
  routes.offer(silent);
  routes.offer(saying);
  expect(kept()).toBe(saying);
  const before = routes.routes.value;
  for (const again of [silent, saying, silent]) routes.offer(again);
  expect(routes.routes.value).toBe(before);
  routes.refuse(UserService.typeName, "not now");
  routes.offer(silent);
  expect([kept(), routes.routes.value.refused.size]).toEqual([saying, 0]);
  routes.offer({ ...saying, comments: "2" });
  expect(kept()?.comments).toBe("2");
});
