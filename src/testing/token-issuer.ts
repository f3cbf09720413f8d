import { randomUUID } from "node:crypto";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** A key of an issuer of tokens. */
export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** As the JWKS has it. */
  readonly publicJwk: JWK & { readonly kid: string };
}

/** Makes a key that signs by `alg`. */
export async function issuerKey(alg = "ES256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** What a token is to say beyond the usual: by default of Ada, for "shop", by "https://issuer.example", for an hour. */
export interface TokenWish {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Its header: `kid: undefined` leaves the key's name out. */
  readonly header?: { readonly alg?: string; readonly kid?: string | undefined };
  /** The time that it says it is made at, in milliseconds since the epoch. */
  readonly now?: number;
}

/** A token signed by the key. */
export function tokenBy(
  key: IssuerKey,
  { claims = {}, header = {}, now = Date.now() }: TokenWish = {},
): Promise<string> {
  const iat = Math.floor(now / 1_000);
  const usual = {
    iss: "https://issuer.example",
    aud: "shop",
    sub: "ada",
    iat,
    exp: iat + 3_600,
    scope: "products:write",
  };
  const said = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
  const alg = header.alg ?? key.publicJwk.alg ?? "ES256";
  const kid = "kid" in header ? header.kid : key.kid;
  return new SignJWT(said).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key.privateKey);
}
