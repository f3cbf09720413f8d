/** A thread that calls GetUser at a fixed rate until it is told to stop, and answers how the calls fared. */
import { setTimeout as sleep } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { Caller } from "./call-load.ts";
import { shareAt } from "./measure.ts";

/** Calls a second: far below what the service can do, so that what makes one slow is something else. */
const perSecond = 200;
/** What a thread, its client and its connection cost in the beginning is no matter of events. */
const warmUpMs = 2_000;

const { address, id } = workerData as Caller;
const port = parentPort as MessagePort;
const users = createClient(UserService, createGrpcTransport({ baseUrl: `http://${address}` }));
const tookMs: number[] = [];
let [failed, isDone] = [0, false];
port.once("message", () => {
  isDone = true;
});

const call = async () => {
  const at = performance.now();
  await users.getUser({ id }, { timeoutMs: 20_000 }).then(
    () => at - beganAt >= warmUpMs && tookMs.push(performance.now() - at),
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
const sorted = tookMs.sort((a, b) => a - b);
port.postMessage({ p99Ms: shareAt(sorted, 0.99), failed });
port.close();
