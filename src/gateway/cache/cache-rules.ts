import type { UnaryResponse } from "@connectrpc/connect";
import { FieldHeaders } from "../../call/field-headers.ts";
import { headers } from "../../call/headers.ts";
import type { MethodPolicy } from "../../call/policy.ts";
import { isClosed } from "../../security/access.ts";

/** What a request says of the answers that were kept. */
export interface Wish {
  /** The age up to which a kept answer will do, in milliseconds; 0, none does. */
  readonly maxAgeMs: number;
  /** Whether the answer to it may be kept. */
  readonly mayKeep: boolean;
}

const anything: Wish = { maxAgeMs: Number.POSITIVE_INFINITY, mayKeep: true };

/**
 * What `Cache-Control` of a request asks for (https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1): `no-cache` and
 * `max-age=0` want an answer of now, which is then kept for others; `no-store` wants that and keeps nothing.
 */
export function wishOf(header: Headers): Wish {
  const told = header.get("cache-control");
  if (told === null) return anything;
  const directives = told.toLowerCase().split(/\s*,\s*/);
  const mayKeep = !directives.includes("no-store");
  if (!mayKeep || directives.includes("no-cache")) return { maxAgeMs: 0, mayKeep };
  const seconds = directives
    .map((one) => /^max-age="?(\d{1,9})"?$/.exec(one)?.[1])
    .find((found) => found !== undefined);
  return seconds === undefined ? anything : { maxAgeMs: Number(seconds) * 1_000, mayKeep };
}

/** Headers by which an answer says itself how it may be used, or that it is one caller's, or for want of a better one. */
const speakForThemselves = ["cache-control", "vary", "set-cookie", headers.fallback];

/** Whether an answer may be given to others than the one who asked: it says nothing against it. */
export function mayShare({ header }: Pick<UnaryResponse, "header">): boolean {
  return !speakForThemselves.some((name) => header.has(name));
}

/**
 * The answer as its caller gets it, with how long it may be used further on and how old it is. What a contract opens to
 * some only is `private` there: a cache on the way cannot tell them from others.
 */
export function told(answer: UnaryResponse, policy: MethodPolicy, ageMs: number): UnaryResponse {
  const fields: string[] = [];
  answer.header.forEach((value, name) => fields.push(name, value));
  const header = new FieldHeaders(fields);
  const who = policy.cache?.private || isClosed(answer.method) ? "private" : "public";
  header.set("cache-control", `max-age=${seconds(policy.cache?.maxAgeMs ?? 0)}, ${who}`);
  header.set("age", String(seconds(ageMs)));
  const { service, method, message, trailer } = answer;
  return { stream: false, service, method, message, header, trailer };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
