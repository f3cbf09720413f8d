import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { WholeBody } from "../../call/whole-body.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { readWhole, wholeLength } from "../http/answer-body.ts";
import type { AnswerRows, KeyedRequest } from "./answer-rows.ts";
import { type Claim, isLasting, type KeptAnswer } from "./claim.ts";
import type { KeyTrouble } from "./refusals.ts";

/** How a request with a key ended, for all who came with it. */
export type Ended =
  /** With an answer that everybody may have; `made`, by this request and none before. */
  | { readonly kind: "answer"; readonly answer: KeptAnswer; readonly made: boolean; readonly stored: boolean }
  /** With one that only whoever came first may have: a stream, or one that is too long to be held. */
  | { readonly kind: "first's"; readonly response: UniversalServerResponse }
  | { readonly kind: "refused"; readonly trouble: KeyTrouble };

/** What doing the work needs. */
export interface WorkOptions {
  readonly rows: AnswerRows;
  readonly inner: HttpHandler;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long a gateway may be silent before another takes its key over, and how often it is heard. */
export const leaseMs = 10_000;
const renewEveryMs = leaseMs / 3;

/** 24 hours. */
export const keepMs = 24 * 60 * 60_000;

/** Longer answers are given, and not kept. */
const maxKeptBytes = 1024 * 1024;

/** How often another gateway is asked whether it has finished: soon, then less and less. */
const pausesMs = [20, 40, 80, 160, 320, 500];

/** Takes the key; where another is at it, waits for that until `waitEndsAt`. */
export async function claimInTime(
  { rows, clock }: Pick<WorkOptions, "rows" | "clock">,
  keyed: KeyedRequest,
  waitEndsAt: number,
): Promise<Claim> {
  for (let attempt = 0; ; attempt++) {
    const claim = await rows.claim(keyed, { now: clock.wall(), leaseMs, keepMs });
    const leftMs = waitEndsAt - clock.now();
    if (claim.kind !== "busy" || leftMs <= 0) return claim;
    await clock.sleep(Math.min(leftMs, pausesMs[attempt] ?? 500));
  }
}

/**
 * Makes the request, whose key is held, and keeps its answer before anybody gets it. Whoever leaves meanwhile leaves alone:
 * it may come again for the answer. A stream goes on only as long as somebody reads it.
 */
export async function work(options: WorkOptions, keyed: KeyedRequest, request: UniversalServerRequest): Promise<Ended> {
  const own = new AbortController();
  const lease = keepLease(options, keyed);
  try {
    const response = await options.inner({ ...request, signal: own.signal });
    const body = await shortBody(response);
    if (body === undefined) return await keepNothing(options, keyed, { response, request, own });
    const answer = { status: response.status, header: [...(response.header ?? [])], body };
    const stored = await settle(options, keyed, answer);
    return { kind: "answer", answer, made: true, stored };
  } catch (reason) {
    await quietly(options, () => options.rows.release(keyed));
    throw reason;
  } finally {
    lease.cancel();
  }
}

/** The body of an answer, if it is whole and short enough to be kept. */
async function shortBody(response: UniversalServerResponse): Promise<Uint8Array | undefined> {
  if (response.body === undefined) return new Uint8Array(0);
  const length = wholeLength(response);
  return length === undefined || length > maxKeptBytes ? undefined : (await readWhole(response.body)).bytes;
}

interface TooMuch {
  readonly response: UniversalServerResponse;
  readonly request: UniversalServerRequest;
  readonly own: AbortController;
}

async function keepNothing(options: WorkOptions, keyed: KeyedRequest, much: TooMuch): Promise<Ended> {
  const { response, request, own } = much;
  const leave = () => own.abort(request.signal.reason);
  if (request.signal.aborted) leave();
  else request.signal.addEventListener("abort", leave, { once: true });
  await settle(options, keyed, { status: response.status, header: [], body: undefined });
  response.header?.set("idempotency-stored", "false");
  return { kind: "first's", response };
}

/** Keeps the answer, or lets go of the key where it is not the last word; whether the database has taken that. */
function settle(options: WorkOptions, keyed: KeyedRequest, answer: KeptAnswer): Promise<boolean> {
  const { rows } = options;
  return quietly(options, () => (isLasting(answer.status) ? rows.finish(keyed, answer) : rows.release(keyed)));
}

/** What has been done is told even where it cannot be kept. */
async function quietly({ log }: WorkOptions, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log.warn("the answer to a request with Idempotency-Key was not kept: in a while it may be made again", { error });
    return false;
  }
}

function keepLease({ rows, clock, log }: WorkOptions, keyed: KeyedRequest): Timer {
  let over = false;
  let timer: Timer | undefined;
  const next = () => {
    if (!over) timer = clock.setTimer(renewEveryMs, renew);
  };
  const renew = () => {
    const renewed = rows.renew(keyed, clock.wall() + leaseMs);
    void renewed.catch((error: unknown) => log.warn("a key was not renewed", { error })).then(next);
  };
  next();
  return {
    cancel() {
      over = true;
      timer?.cancel();
    },
  };
}

/** The answer as it is sent. */
export function responseOf({ status, header, body }: KeptAnswer): UniversalServerResponse {
  const all = new Headers();
  for (const [name, value] of header) all.append(name, value);
  return { status, header: all, ...(body !== undefined && body.length > 0 && { body: new WholeBody(body) }) };
}
