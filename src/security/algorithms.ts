/** How tokens may be signed so that whoever checks them cannot make them (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export const asymmetricAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** Signed with a secret that both sides know: whoever checks tokens could make them, so this has to be asked for. */
export const secretAlgorithm = "HS256";

/** RFC 7518 §3.2: a key of the size of the hash, or larger. */
export const minSecretBytes = 32;

/** What is wrong with a list of algorithms, or nothing. `none` is in no list: it signs nothing. */
export function algorithmsProblem(algorithms: readonly string[], hasSecret: boolean): string | undefined {
  const known: readonly string[] = [...asymmetricAlgorithms, secretAlgorithm];
  const unknown = algorithms.find((algorithm) => !known.includes(algorithm));
  if (unknown !== undefined) return `names "${unknown}"; there are ${known.join(", ")}`;
  const namesSecret = algorithms.includes(secretAlgorithm);
  if (namesSecret && !hasSecret) return `names ${secretAlgorithm}, which needs a secret`;
  if (hasSecret && !namesSecret) return `leaves out ${secretAlgorithm}, although there is a secret for it`;
  return algorithms.length === 0 ? "is empty: no token could be right" : undefined;
}
