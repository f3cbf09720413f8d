import { setTimeout as sleep } from "node:timers/promises";
import { type Ending, postJson } from "../../testing/post-json.ts";
import type { Dice } from "../../testing/sim/dice.ts";
import { count, createTally, type Tally } from "./tally.ts";

/** How many orders, by whom, of what. */
export interface OrderPlan {
  /** So many at least; placing goes on until `isCalm`, too. */
  readonly orders: number;
  /** Whether everything has been killed at least once. */
  readonly isCalm: () => boolean;
  readonly inFlight: number;
  readonly dice: Dice;
  readonly seed: number;
  /** "host:port" of every gateway: who finds one gone asks another. */
  readonly gateways: readonly string[];
  readonly userIds: readonly string[];
  readonly skus: readonly string[];
  /** When this aborts, no further order is begun: time is up. */
  readonly signal: AbortSignal;
}

/** The deadline in the contract of CreateOrder. */
const deadlineMs = 5_000;
/** What a busy machine may take to carry an answer. */
const carriageMs = 2_500;
/** Of so many accepted orders one is cancelled afterwards. */
const cancelledOf = 33;
const longestPauseMs = 250;

/**
 * Places orders at full speed, each until it is accepted: what failed clearly is asked for again under the same request id,
 * as a client does that wants its order once.
 */
export async function placeOrders(plan: OrderPlan): Promise<Tally> {
  const tally = createTally();
  let next = 0;
  const lane = async () => {
    while ((next < plan.orders || !plan.isCalm()) && !plan.signal.aborted) await placeOne(plan, tally, next++);
  };
  await Promise.all(Array.from({ length: plan.inFlight }, lane));
  return tally;
}

async function placeOne(plan: OrderPlan, tally: Tally, turn: number): Promise<void> {
  const { dice, seed } = plan;
  tally.placed++;
  const requestId = `chaos-${seed}-${turn}`;
  const items = [{ sku: dice.oneOf(plan.skus), qty: dice.between(1, 3) }];
  const order = { userId: dice.oneOf(plan.userIds), items, requestId };
  for (let attempt = 0; ; attempt++) {
    const ending = await timed(plan, tally, { turn: turn + attempt, requestId, path: "/v1/orders", body: order });
    if (isAccepted(ending)) return accepted(plan, tally, { requestId, id: String(ending.body.id), turn });
    if (isRefusal(ending)) {
      tally.wrong.push(`${requestId} was refused: ${ending.status} ${JSON.stringify(ending.body)}`);
      return;
    }
    count(tally.failed, kindOf(ending));
    await sleep(dice.between(10, longestPauseMs));
  }
}

interface Asked {
  readonly turn: number;
  readonly requestId: string;
  readonly path: string;
  readonly body: unknown;
}

async function timed({ gateways }: OrderPlan, tally: Tally, { turn, requestId, path, body }: Asked): Promise<Ending> {
  tally.requests++;
  const beganAt = performance.now();
  const gateway = gateways[turn % gateways.length] ?? "";
  const ending = await postJson(gateway, path, body, 2 * (deadlineMs + carriageMs));
  const tookMs = performance.now() - beganAt;
  if (tookMs > deadlineMs + carriageMs) {
    tally.late.push(`${requestId}: ${kindOf(ending)} by ${gateway} after ${Math.round(tookMs)} ms`);
  }
  if (isAccepted(ending)) tally.tookMs.push(tookMs);
  return ending;
}

async function accepted(
  plan: OrderPlan,
  tally: Tally,
  { requestId, id, turn }: { requestId: string; id: string; turn: number },
): Promise<void> {
  tally.accepted.set(requestId, id);
  if (turn % cancelledOf !== 0) return;
  const path = `/v1/orders/${id}:cancel`;
  for (let attempt = 0; !plan.signal.aborted; attempt++) {
    const ending = await timed(plan, tally, { turn: turn + attempt, requestId, path, body: {} });
    if (ending.kind === "answered" && ending.status === 200) {
      tally.cancelled++;
      return;
    }
    if (isRefusal(ending)) {
      tally.wrong.push(`${id} could not be cancelled: ${ending.status} ${JSON.stringify(ending.body)}`);
      return;
    }
    count(tally.failed, `cancelling: ${kindOf(ending)}`);
    await sleep(plan.dice.between(10, longestPauseMs));
  }
}

function isAccepted(ending: Ending): ending is Ending & { kind: "answered" } {
  return ending.kind === "answered" && ending.status === 201;
}

/** Statuses that say "not now"; any other below 500 says "no". */
const notNow: ReadonlySet<number> = new Set([408, 409, 425, 429, 499]);

function isRefusal(ending: Ending): ending is Ending & { kind: "answered" } {
  return ending.kind === "answered" && ending.status < 500 && !notNow.has(ending.status);
}

/** "503 USER_SERVICE_UNAVAILABLE", or "ECONNRESET". */
function kindOf(ending: Ending): string {
  if (ending.kind === "cut off") return ending.reason;
  const { code = "", details = [] } = ending.body as { code?: string; details?: readonly { reason?: string }[] };
  return `${ending.status} ${details.find(({ reason }) => reason !== undefined)?.reason ?? code}`;
}
