import type { HandlerContext } from "@connectrpc/connect";
import { LRUCache } from "lru-cache";
import { type Clock, systemClock } from "../base/clock.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { headers } from "../call/headers.ts";
import { ServedCall } from "../call/served-call.ts";
import { algorithmsProblem, asymmetricAlgorithms, minSecretBytes, secretAlgorithm } from "./algorithms.ts";
import { KeyFile } from "./key-file.ts";
import { type JsonWebKeySet, KeySet, type KeySource, keySetOf } from "./key-set.ts";
import { KeyUrl } from "./key-url.ts";
import type { Authenticate, Principal } from "./principal.ts";
import { tokenRefused } from "./refusals.ts";
import { type Proven, TokenCheck, type TokenCheckOptions } from "./token-check.ts";

/** Which tokens are taken. */
export interface BearerTokenOptions {
  /** The public keys: an http(s) URL, the path of a file, or the JWKS itself. Needed unless there is a secret. */
  readonly jwks?: string | JsonWebKeySet;
  /** Who has to have issued the token (`iss`), one of these. Unset: anybody whose key is known. */
  readonly issuer?: string | readonly string[];
  /** For whom it has to be meant (`aud`), one of these. Unset: for anybody, so that a token for another API is taken too. */
  readonly audience?: string | readonly string[];
  /** How it may be signed. Default every asymmetric one; HS256 as well where there is a secret. `none` is never taken. */
  readonly algorithms?: readonly string[];
  /** The secret of HS256, of 32 bytes or more: with it, whoever can check tokens can make them. By default HS256 is not taken. */
  readonly hs256Secret?: Uint8Array;
  /** By how much clocks may differ, in milliseconds, for `exp` and `nbf`. Default 5 s. */
  readonly leewayMs?: number;
  /** Age at which the keys of a URL are asked for again, in milliseconds. Default 10 min. */
  readonly keysMaxAgeMs?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Longer ones are refused unread: no header of that size comes through most proxies anyway. */
const maxTokenLength = 8_192;
/** What proven tokens may take of memory, in characters of token. */
const maxKeptLength = 8 * 1024 * 1024;

/**
 * Proves callers by `authorization: Bearer <JWT>` (RFC 6750, RFC 7519): signature, issuer, audience, times. A caller
 * without one is nobody; a token that is not right is UNAUTHENTICATED, and UNAVAILABLE if the keys cannot be had.
 *
 * A token that was found right is not checked again until it expires or the keys change, as long as there is room to
 * remember it: a signature takes longer to check than most calls take.
 */
export function bearerTokens(options: BearerTokenOptions): Authenticate {
  const { clock = systemClock, log = jsonLogger() } = options;
  const keys = sourceOf(options, { clock, log });
  const check = new TokenCheck(checkOptions(options, clock));
  const known = new LRUCache<string, Proven>({
    max: 10_000,
    maxSize: maxKeptLength,
    sizeCalculation: (_, key) => key.length,
  });

  const remembered = (token: string, current: KeySet): Principal | undefined => {
    const found = known.get(token);
    return found?.keys === current && clock.wall() < found.endsAt ? found.principal : undefined;
  };
  const prove = async (token: string, current: KeySet | Promise<KeySet>): Promise<Principal> => {
    const now = await current;
    const principal = remembered(token, now);
    if (principal !== undefined) return principal;
    known.delete(token);
    const proven = await check.prove(token, { source: keys, current: now });
    known.set(token, proven);
    return proven.principal;
  };
  return (call) => {
    const token = tokenOf(call);
    if (token === undefined) return undefined;
    const current = keys.current();
    const principal = current instanceof KeySet ? remembered(token, current) : undefined;
    return principal ?? prove(token, current);
  };
}

/** The token that comes with the call; `undefined` where another scheme is spoken, or none. */
function tokenOf(call: HandlerContext): string | undefined {
  const value =
    call instanceof ServedCall
      ? call.requestField(headers.authorization)
      : call.requestHeader.get(headers.authorization);
  if (value === undefined || value === null || !/^bearer(?: |$)/i.test(value)) return undefined;
  const token = value.slice("bearer ".length).trim();
  if (token.length > maxTokenLength) {
    throw tokenRefused(
      "TOKEN_INVALID",
      `the token is longer than ${maxTokenLength} characters: ask for one that says less`,
    );
  }
  return token;
}

function sourceOf(options: BearerTokenOptions, tools: { readonly clock: Clock; readonly log: Logger }): KeySource {
  const { jwks, hs256Secret, keysMaxAgeMs: maxAgeMs = 600_000 } = options;
  if (jwks === undefined) {
    if (hs256Secret === undefined) throw new TypeError("bearerTokens needs `jwks`, where the public keys are");
    return fixed(noKeys);
  }
  if (typeof jwks !== "string") return fixed(keySetOf(jwks, tools.log));
  return /^https?:\/\//i.test(jwks)
    ? new KeyUrl({ url: jwks, maxAgeMs, ...tools })
    : new KeyFile({ path: jwks, ...tools });
}

const noKeys = new KeySet({ keys: [] });

/** Keys that never change. */
function fixed(keys: KeySet): KeySource {
  return { current: () => keys, newer: async () => keys };
}

function checkOptions(options: BearerTokenOptions, clock: Clock): TokenCheckOptions {
  const { issuer, audience, hs256Secret: secret, leewayMs = 5_000 } = options;
  if (secret !== undefined && secret.length < minSecretBytes) {
    throw new RangeError(`hs256Secret has ${secret.length} bytes; it needs ${minSecretBytes} or more (RFC 7518 §3.2)`);
  }
  const { algorithms = defaultAlgorithms(options) } = options;
  const problem = algorithmsProblem(algorithms, secret !== undefined);
  if (problem !== undefined) throw new TypeError(`algorithms ${problem}`);
  return {
    issuer: issuer === undefined ? undefined : [issuer].flat(),
    audience: audience === undefined ? undefined : [audience].flat(),
    algorithms: new Set(algorithms),
    secret,
    leewayMs,
    clock,
  };
}

/** A secret without a JWKS leaves nothing but HS256. */
function defaultAlgorithms({ jwks, hs256Secret }: BearerTokenOptions): readonly string[] {
  const asymmetric = jwks === undefined ? [] : asymmetricAlgorithms;
  return hs256Secret === undefined ? asymmetric : [...asymmetric, secretAlgorithm];
}
