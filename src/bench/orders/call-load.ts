import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { shareAt } from "./measure.ts";

/** Calls a second: far below what the service can do, so that what makes one slow is something else. */
const perSecond = 200;

/** How calls fared. */
export interface Calls {
  readonly p99Ms: number;
  readonly failed: number;
}

/** GetUser straight to the user service, at a fixed rate whatever becomes of the calls before, until `done` settles. */
export async function callUntil(address: string, id: bigint, done: Promise<unknown>): Promise<Calls> {
  const users = createClient(UserService, createGrpcTransport({ baseUrl: `http://${address}` }));
  const tookMs: number[] = [];
  let [failed, isDone] = [0, false];
  const settled = () => {
    isDone = true;
  };
  done.then(settled, settled);
  const call = async () => {
    const at = performance.now();
    await users.getUser({ id }, { timeoutMs: 20_000 }).then(
      () => tookMs.push(performance.now() - at),
      () => failed++,
    );
  };
  const under: Promise<void>[] = [];
  const beganAt = performance.now();
  for (let turn = 0; !isDone; turn++) {
    const waitMs = beganAt + (turn * 1_000) / perSecond - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    under.push(call());
  }
  await Promise.all(under);
  return {
    p99Ms: shareAt(
      tookMs.sort((a, b) => a - b),
      0.99,
    ),
    failed,
  };
}
