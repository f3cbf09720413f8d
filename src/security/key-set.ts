import { type CryptoKey, createLocalJWKSet, errors, type JWK, type JWSHeaderParameters } from "jose";
import type { Logger } from "../base/log.ts";

/** A JSON Web Key Set: https://www.rfc-editor.org/rfc/rfc7517.html#section-5 */
export interface JsonWebKeySet {
  readonly keys: readonly (JWK & { readonly exp?: number })[];
}

/** Where public keys come from. */
export interface KeySource {
  /** The keys there are; the same object as long as they are the same. Throws UNAVAILABLE while none could be had. */
  current(): KeySet | Promise<KeySet>;
  /** Keys that may have come since `known`, for a token whose key is not among those; `known` itself if there are none. */
  newer(known: KeySet): Promise<KeySet>;
}

/** Public keys at one moment. Never changed: other keys are another set. */
export class KeySet {
  readonly #find: ReturnType<typeof createLocalJWKSet>;
  /** When each key ends that says so, in milliseconds since the epoch, by its `kid`. */
  readonly #endsAt = new Map<string, number>();

  constructor({ keys }: JsonWebKeySet) {
    this.#find = createLocalJWKSet({ keys: keys.map((key) => ({ ...key })) });
    for (const { kid, exp } of keys) if (kid !== undefined && exp !== undefined) this.#endsAt.set(kid, exp * 1_000);
  }

  /** The keys that a token with this header may be signed with; none for an unknown one. */
  async candidates(header: JWSHeaderParameters, now: number): Promise<readonly CryptoKey[]> {
    if ((this.#endsAt.get(header.kid ?? "") ?? Number.POSITIVE_INFINITY) <= now) return [];
    try {
      return [await this.#find(header)];
    } catch (reason) {
      if (reason instanceof errors.JWKSMultipleMatchingKeys) return await listed(reason);
      if (reason instanceof errors.JWKSNoMatchingKey || reason instanceof errors.JOSENotSupported) return [];
      throw reason;
    }
  }
}

/**
 * The public keys of a JWKS. What is no public key is left out and told of: a secret (`oct`) there would be known to
 * whoever reads the set, and so prove nobody. Throws where the text is no JWKS, or no key is left.
 */
export function readKeySet(text: string, log: Logger): KeySet {
  return keySetOf(parsed(text), log);
}

/** The same of a JWKS that was read already. */
export function keySetOf(jwks: unknown, log: Logger): KeySet {
  const { keys } = Object(jwks) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('it is no JWKS: it has no list "keys"');
  const isPublic = (key: unknown) => {
    const { kty, d } = Object(key) as Partial<JWK>;
    return typeof kty === "string" && kty !== "oct" && d === undefined;
  };
  const [kept, left] = [keys.filter(isPublic), keys.filter((key) => !isPublic(key))];
  const kids = left.map((key) => String(Object(key).kid ?? "(no kid)"));
  if (kids.length > 0) log.warn("a JWKS holds what is no public key; it is not used", { kids });
  if (kept.length === 0) throw new Error("it holds no public key");
  return new KeySet({ keys: kept });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
