import { randomUUID } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import { changeKeys, type KeyFolder, newKey, type SigningKey, signingAlgorithm } from "./signing-keys.ts";

/** Who issues the tokens of development, and for whom, unless somebody says otherwise. */
export const developmentTokens = { issuer: "heddle-development", audience: "heddle" } as const;

/** What a token of development is to say. */
export interface TokenRequest {
  /** Who: its `sub`. */
  readonly subject: string;
  readonly scopes: readonly string[];
  /** For whom: its `aud`. */
  readonly audience: string;
  readonly ttlMs: number;
}

/** What has become of the keys. */
export interface Rotation {
  /** The key that signs from now on. */
  readonly kid: string;
  /** Those that sign no more and are still taken, and until when, in milliseconds since the epoch. */
  readonly old: readonly { readonly kid: string; readonly until: number }[];
}

/** Makes the keys of the folder, where there are none, and drops those whose last token has ended. */
export function ensureKeys(folder: KeyFolder): Promise<void> {
  return changeKeys(folder, async (keys) => ({ keys, result: undefined }));
}

/** Issues a token, signed by the newest key of the folder. */
export function issueToken(folder: KeyFolder, { subject, scopes, audience, ttlMs }: TokenRequest): Promise<string> {
  return changeKeys(folder, async (keys) => {
    const [signer, ...others] = await withSigner(keys);
    const issuedAt = Math.floor(folder.clock.wall() / 1_000);
    const endsAt = issuedAt + Math.ceil(ttlMs / 1_000);
    const token = await new SignJWT({ ...(scopes.length > 0 && { scope: scopes.join(" ") }) })
      .setProtectedHeader({ alg: signingAlgorithm, kid: signer.kid, typ: "JWT" })
      .setIssuer(developmentTokens.issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(endsAt)
      .setJti(randomUUID())
      .sign(await importJWK(signer.privateJwk ?? {}, signingAlgorithm));
    const used = { ...signer, tokensUntil: Math.max(signer.tokensUntil, endsAt * 1_000) };
    return { keys: [used, ...others], result: token };
  });
}

/**
 * Lets another key sign from now on. The old one can sign nothing any more, for its private part is forgotten, and is
 * taken until the last token that it has signed has ended.
 */
export function rotateKeys(folder: KeyFolder): Promise<Rotation> {
  return changeKeys(folder, async (keys) => {
    const next = await newKey();
    const now = folder.clock.wall();
    const retired = keys
      .map(({ privateJwk: _, ...key }): SigningKey => key)
      .filter(({ tokensUntil }) => tokensUntil > now);
    const old = retired.map(({ kid, tokensUntil }) => ({ kid, until: tokensUntil }));
    return { keys: [next, ...retired], result: { kid: next.kid, old } };
  });
}

/** The key that signs comes first; made where only old ones are left. */
async function withSigner(keys: readonly SigningKey[]): Promise<readonly [SigningKey, ...SigningKey[]]> {
  const signer = keys.find(({ privateJwk }) => privateJwk !== undefined);
  return signer === undefined ? [await newKey(), ...keys] : [signer, ...keys.filter((key) => key !== signer)];
}
