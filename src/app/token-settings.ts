import { readFileSync } from "node:fs";
import type { EnvReader } from "../base/env.ts";
import { silentLogger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { algorithmsProblem, minSecretBytes, secretAlgorithm } from "../security/algorithms.ts";
import type { BearerTokenOptions } from "../security/bearer-tokens.ts";
import { readKeySet } from "../security/key-set.ts";

/**
 * Which bearer tokens a program takes: `{ tokens }` for `serve` and `openGateway`, or nothing where no keys are given,
 * so that a contract that asks for access is refused at the start rather than served to everybody.
 */
export function tokenSettings(read: EnvReader): { readonly tokens?: BearerTokenOptions } {
  let isAsked = false; // also where what was asked for cannot be had: one complaint is enough then
  const asked =
    <T>(parse: (raw: string) => T) =>
    (raw: string): T => {
      isAsked ||= raw !== "";
      return parse(raw);
    };
  const jwksAbout = "whose tokens are taken: URL or file of the public keys (JWKS)";
  const jwks = read.parsed("AUTH_JWKS", "", jwksAbout, asked(keysOf));
  const secretAbout = `file of a secret of ${minSecretBytes} bytes or more, to take ${secretAlgorithm} tokens as well`;
  const secret = read.parsed("AUTH_HS256_SECRET_FILE", "", secretAbout, asked(secretOf));
  const hasSecret = secret !== undefined && secret.length > 0;
  /** A rule that nobody enforces is worse than none. */
  const listOf = (raw: string): readonly string[] => {
    if (raw === "") return [];
    if (!isAsked) throw new Error("does nothing without AUTH_JWKS or AUTH_HS256_SECRET_FILE: set one of them");
    return raw.split(",").map((part) => part.trim());
  };
  const algorithmsOf = (raw: string) => {
    const algorithms = listOf(raw);
    const problem = raw === "" ? undefined : algorithmsProblem(algorithms, hasSecret);
    if (problem !== undefined) throw new Error(`${problem} (AUTH_HS256_SECRET_FILE)`);
    return algorithms;
  };
  const issuer = read.parsed(
    "AUTH_ISSUER",
    "",
    "who has to have issued them (iss), between commas; if empty, anybody",
    listOf,
  );
  const audience = read.parsed(
    "AUTH_AUDIENCE",
    "",
    "for whom they have to be (aud), between commas; if empty, anybody",
    listOf,
  );
  const algorithmsAbout = "how they may be signed, between commas; if empty, in every way with a public key";
  const algorithms = read.parsed("AUTH_ALGORITHMS", "", algorithmsAbout, algorithmsOf);
  const leewayMs = read.durationMs("AUTH_LEEWAY", 5_000, "by how much clocks may differ, for exp and nbf");
  const keysMaxAgeMs = read.durationMs(
    "AUTH_KEYS_MAX_AGE",
    600_000,
    "age at which the keys of a URL are asked for again",
  );
  if (!isAsked) return {};
  return {
    tokens: {
      ...(jwks && { jwks }),
      ...(hasSecret && { hs256Secret: secret }),
      ...(issuer?.length && { issuer }),
      ...(audience?.length && { audience }),
      ...(algorithms?.length && { algorithms }),
      leewayMs,
      keysMaxAgeMs,
    },
  };
}

/** A URL is asked when the first token comes; a file that cannot be used stops the start. */
function keysOf(raw: string): string {
  if (raw === "" || /^https?:\/\//i.test(raw)) return raw;
  try {
    readKeySet(readFileSync(raw, "utf8"), silentLogger);
    return raw;
  } catch (reason) {
    throw new Error(`cannot be used: ${messageOf(reason)}`);
  }
}

function secretOf(raw: string): Uint8Array {
  if (raw === "") return new Uint8Array();
  const secret = readSecret(raw);
  if (secret.length >= minSecretBytes) return secret;
  throw new Error(
    `holds ${secret.length} bytes; ${minSecretBytes} or more are needed: head -c 48 /dev/urandom | base64`,
  );
}

/** Without the line's end that editors add. */
function readSecret(path: string): Uint8Array {
  try {
    return Buffer.from(readFileSync(path, "latin1").replace(/\r?\n$/, ""), "latin1");
  } catch (reason) {
    throw new Error(`cannot be read: ${messageOf(reason)}`);
  }
}
