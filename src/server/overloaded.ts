import type { ConnectError } from "@connectrpc/connect";
import { resourceExhausted } from "../call/errors.ts";

/** Which limit has been reached, and what the caller may do about it. */
export interface Overload {
  /** Says what is too much, for people. */
  readonly message: string;
  /** Says it for programs: the limit's name and its numbers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** When asking again may help. */
  readonly retryAfterMs: number;
}

const made = new WeakSet<object>();

/**
 * A server has more to do than it can: RESOURCE_EXHAUSTED with the reason OVERLOADED and RetryInfo. One error may refuse
 * many calls, and is frozen for that: to make one for each would cost more than refusing does.
 */
export function overloaded({ message, metadata, retryAfterMs }: Overload): ConnectError {
  const error = resourceExhausted(message, { reason: "OVERLOADED", domain: "heddle", metadata, retryAfterMs });
  Object.freeze(error.details);
  made.add(error);
  return Object.freeze(error);
}

/** Whether a call ended because the server refused it for its own overload. */
export function isOverloaded(reason: unknown): boolean {
  return typeof reason === "object" && reason !== null && made.has(reason);
}
