import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Authenticate } from "../../security/principal.ts";
import type { AnswerPlace } from "./answer-place.ts";
import { callerOf } from "./caller.ts";
import { KeyedRequests } from "./keyed-requests.ts";
import { LazyRows } from "./lazy-rows.ts";

/** What requests with keys need beside a place for their answers. */
export interface KeyedRequestsParts {
  /** Proves callers; without it all callers are one. */
  readonly authenticate: Authenticate | undefined;
  /** How long one waits for another with its key. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A day of eleven requests with a key a second, and as many bytes as a small machine has to spare. */
const limits = { maxRows: 1_000_000, maxBytes: 1024 * 1024 * 1024 };

/** Requests with `Idempotency-Key`, their answers kept in that place. Nothing is opened before the first one. */
export function createKeyedRequests(place: AnswerPlace, parts: KeyedRequestsParts): KeyedRequests {
  const { authenticate, waitMs, clock, log } = parts;
  const rows = new LazyRows({ ...place, limits, clock, log });
  return new KeyedRequests({ rows, callerOf: callerOf(authenticate), waitMs, clock, log });
}
