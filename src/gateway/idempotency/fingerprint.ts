import { createHash } from "node:crypto";

/** What tells a key from the same characters of somebody else, or for something else. */
export interface ScopeFacts {
  /** Who comes with it; empty, nobody in particular. */
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

/** What may not change from one use of a key to the next. */
export interface RequestFacts {
  readonly query: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** What a key stands for, as one short text. Keys of several callers, methods or paths have nothing to do with each other. */
export function scopeOf({ caller, method, path, key }: ScopeFacts): string {
  return hashOf(caller, method, path, key);
}

/** What came with a key, as one short text. */
export function fingerprintOf({ query, contentType, body }: RequestFacts): string {
  return hashOf(query, contentType.toLowerCase().replaceAll(" ", ""), body);
}

/**
 * The id of the request that a key stands for until `endsAt`, for services that tell requests by ids: the same from
 * whichever gateway. Shaped like a random UUID, as which contracts ask for it.
 */
export function standingRequestId(scope: string, endsAt: number): string {
  const hex = createHash("sha256").update(`${scope} ${endsAt}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Each part with its length before it: no two lists of parts are the same bytes. */
function hashOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("base64url");
}
