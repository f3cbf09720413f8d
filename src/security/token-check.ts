import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWSHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from "jose";
import type { Clock } from "../base/clock.ts";
import { secretAlgorithm } from "./algorithms.ts";
import { principalOf } from "./claims.ts";
import type { KeySet, KeySource } from "./key-set.ts";
import type { Principal } from "./principal.ts";
import { tokenRefused } from "./refusals.ts";

/** What a token has to be. */
export interface TokenCheckOptions {
  readonly issuer: readonly string[] | undefined;
  readonly audience: readonly string[] | undefined;
  readonly algorithms: ReadonlySet<string>;
  /** Of HS256; `undefined` where that is not taken. */
  readonly secret: Uint8Array | undefined;
  readonly leewayMs: number;
  readonly clock: Clock;
}

/** A token that was found right, and by which keys: by others it has to be checked again. */
export interface Proven {
  readonly principal: Principal;
  /** When it ends, leeway included, in milliseconds since the epoch. */
  readonly endsAt: number;
  readonly keys: KeySet;
}

/** The keys there are, and where there may be newer ones. */
export interface Keys {
  readonly source: KeySource;
  readonly current: KeySet;
}

type Header = JWSHeaderParameters & { readonly alg: string };
type Key = CryptoKey | Uint8Array;

/**
 * Checks a token: how it is signed first, since that says which key may be asked for. A secret is only ever used for
 * HS256, and a public key never: a token "signed" with a public key as its secret finds no key that takes it.
 */
export class TokenCheck {
  readonly #options: TokenCheckOptions;

  constructor(options: TokenCheckOptions) {
    this.#options = options;
  }

  /** Resolves with whom it proves; rejects with why it proves nobody. */
  async prove(token: string, { source, current }: Keys): Promise<Proven> {
    const header = this.#headerOf(token);
    const proven = await this.#provenBy(current, token, header);
    if (proven !== undefined) return proven;
    const newer = await source.newer(current);
    const later = newer === current ? undefined : await this.#provenBy(newer, token, header);
    if (later !== undefined) return later;
    const why = "the token is signed with a key that is not known here, or was changed after that";
    throw tokenRefused("TOKEN_INVALID", `${why}: ask the one who issues tokens for this API for a new one`);
  }

  /** Nothing where none of the keys has signed it. One that does not name its key may be signed with any that fits. */
  async #provenBy(keys: KeySet, token: string, header: Header): Promise<Proven | undefined> {
    for (const key of await this.#candidates(header, keys)) {
      try {
        const claims = await this.#verified(token, header.alg, key);
        return { principal: principalOf(claims), endsAt: claims.exp * 1_000 + this.#options.leewayMs, keys };
      } catch (reason) {
        if (!(reason instanceof errors.JWSSignatureVerificationFailed)) throw whyRefused(reason);
      }
    }
    return undefined;
  }

  #headerOf(token: string): Header {
    const header = headerIn(token);
    const { alg } = header;
    if (alg === undefined || !this.#options.algorithms.has(alg)) {
      const algorithms =
        "the token is signed in a way that is not taken here: ask for one that is signed with RS256 or ES256";
      throw tokenRefused("TOKEN_INVALID", algorithms);
    }
    return { ...header, alg };
  }

  async #candidates(header: JWSHeaderParameters, keys: KeySet): Promise<readonly Key[]> {
    const { secret, clock } = this.#options;
    if (header.alg === secretAlgorithm) return secret === undefined ? [] : [secret];
    return keys.candidates(header, clock.wall());
  }

  async #verified(token: string, algorithm: string, key: Key): Promise<Claims> {
    const { issuer, audience, leewayMs, clock } = this.#options;
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      ...(issuer && { issuer: [...issuer] }),
      ...(audience && { audience: [...audience] }),
      requiredClaims: ["exp", "sub"],
      clockTolerance: leewayMs / 1_000,
      currentDate: new Date(clock.wall()),
    });
    if (!isWhole(payload))
      throw tokenRefused("TOKEN_INVALID", 'the token names nobody: its claim "sub" has to be a text');
    return payload;
  }
}

type Claims = JWTPayload & { readonly sub: string; readonly exp: number };

function isWhole(payload: JWTPayload): payload is Claims {
  return typeof payload.sub === "string" && payload.sub !== "" && typeof payload.exp === "number";
}

function headerIn(token: string): JWSHeaderParameters {
  try {
    return decodeProtectedHeader(token) as JWSHeaderParameters;
  } catch {
    throw tokenRefused("TOKEN_INVALID", "the token is no signed JWT: three parts of base64url with dots between");
  }
}

/** jose's errors by what the caller can do about them. Whatever else goes wrong, the token is not right. */
function whyRefused(reason: unknown): unknown {
  if (reason instanceof errors.JWTExpired) return tokenRefused("TOKEN_EXPIRED", "the token has expired: get a new one");
  if (reason instanceof errors.JWTClaimValidationFailed) return claimRefused(reason.claim, reason.reason);
  if (reason instanceof errors.JOSEError || reason instanceof TypeError) {
    return tokenRefused("TOKEN_INVALID", "the token cannot be read: it has to be a JWT, signed and unchanged");
  }
  return reason;
}

function claimRefused(claim: string, problem: string): unknown {
  if (problem === "missing")
    return tokenRefused("TOKEN_INVALID", `the token has no claim "${claim}", which is asked for here`);
  switch (claim) {
    case "nbf":
      return tokenRefused("TOKEN_NOT_YET_VALID", "the token is not valid yet: wait, or set the clock of who issued it");
    case "iss":
      return tokenRefused(
        "TOKEN_WRONG_ISSUER",
        "the token was issued by somebody who is not trusted here: get it elsewhere",
      );
    case "aud":
      return tokenRefused(
        "TOKEN_WRONG_AUDIENCE",
        "the token is meant for another API: ask for one with this API's audience",
      );
    default:
      return tokenRefused("TOKEN_INVALID", `the token's claim "${claim}" is not as it has to be`);
  }
}
