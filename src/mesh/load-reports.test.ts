import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Balance } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { loadReportFields } from "../call/load-report.ts";
import { contract } from "../testing/contract.ts";
import { openFleet, type Peer, routed } from "../testing/fake-fleet.ts";

/** A peer that says how busy it is behind each answer, where it is asked for that. */
function reporting(service: DescService, utilization: number): Peer {
  const [name = "", value = ""] = loadReportFields({ utilization, qps: 100, eps: 0, delayMs: undefined });
  const answer = (_: unknown, { requestHeader, responseTrailer }: HandlerContext) => {
    if (requestHeader.get("heddle-load-report") === "1") responseTrailer.set(name, value);
    return {};
  };
  return routed((router) => router.rpc(service.methods[0] as DescMethodUnary, answer as never));
}

/** How many of the calls that are made after a while go to an idle peer, for each that goes to a busy one. */
async function preference(loadReports: boolean): Promise<number> {
  const service = contract([{ name: "Do" }], { balance: Balance.WEIGHTED, loadReports });
  const peers = { "busy:1": reporting(service, 0.9), "idle:1": reporting(service, 0.3) };
  await using fleet = await openFleet(peers);
  const client = fleet.mesh.client(service) as unknown as { do(request: object): Promise<unknown> };
  for (let second = 0; second < 35; second++) {
    for (let call = 0; call < 4; call++) await client.do({});
    await fleet.clock.advance(1_000);
  }
  fleet.asked.length = 0;
  for (let call = 0; call < 200; call++) await client.do({});
  const idle = fleet.asked.filter(({ address }) => address === "idle:1").length;
  return idle / (fleet.asked.length - idle);
}

test("where the contract says so, calls are shared out by what servers say of their load", async () => {
  expect(await preference(true)).toBeCloseTo(3, 0);
  expect(await preference(false)).toBeCloseTo(1, 0);
});
