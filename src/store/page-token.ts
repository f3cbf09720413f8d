import { createHash } from "node:crypto";
import type { ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "../call/errors.ts";

const defaultPageSize = 50;
const checksumBytes = 6;

/** What every List request has. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Which rows to read: `limit + 1` of them tell whether there is a page after this one. */
export interface Page {
  readonly limit: number;
  /** The key of the last row of the page before; absent on the first. */
  readonly after: string | undefined;
}

/**
 * The page a request asks for. `scope` is the list and its filter ("orders of 42"): a token goes on only with the
 * list that it came from.
 */
export function readPage({ pageSize, pageToken }: PageRequest, scope: string): Page {
  return { limit: pageSize || defaultPageSize, after: pageToken === "" ? undefined : readToken(pageToken, scope) };
}

/** Cuts `limit + 1` rows to a page, and names the next one by the key of the last row on this one. */
export function cutPage<T>(
  rows: readonly T[],
  { limit }: Page,
  scope: string,
  keyOf: (row: T) => string,
): { readonly rows: readonly T[]; readonly nextPageToken: string } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { rows: page, nextPageToken: more ? writeToken(scope, keyOf(last)) : "" };
}

function writeToken(scope: string, key: string): string {
  const body = Buffer.from(key);
  return Buffer.concat([checksum(scope, body), body]).toString("base64url");
}

function readToken(token: string, scope: string): string {
  const bytes = Buffer.from(token, "base64url");
  const body = bytes.subarray(checksumBytes);
  const whole = bytes.toString("base64url") === token && bytes.length > checksumBytes;
  if (!whole || !checksum(scope, body).equals(bytes.subarray(0, checksumBytes))) throw refusal();
  return body.toString();
}

/** Finds what was garbled or taken from another list. It keeps no secret: a page shows nothing its caller may not see. */
function checksum(scope: string, body: Uint8Array): Buffer {
  return createHash("sha256").update(`page of ${scope}\0`).update(body).digest().subarray(0, checksumBytes);
}

function refusal(): ConnectError {
  const description = "has to be the next_page_token of an answer to the same list, as it stands";
  return invalidArgument([{ field: "page_token", description }]);
}
