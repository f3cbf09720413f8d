import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import type { Clock } from "../base/clock.ts";

/** A key that tokens are, or were, signed with. */
export interface SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  /** Gone from the moment on at which another key signs in its place. */
  readonly privateJwk?: JWK;
  /** When the last token that it has signed ends, in milliseconds since the epoch; 0 for none. */
  readonly tokensUntil: number;
}

/** Where keys are kept. */
export interface KeyFolder {
  readonly folder: string;
  readonly clock: Clock;
}

/** How tokens are signed: short, and quick to check. */
export const signingAlgorithm = "ES256";

/** Time by which a key outlives its last token, as much as checkers may allow for clocks that differ. */
const graceMs = 60_000;
/** A lock that is older was left by a process that has died. */
const staleLockMs = 10_000;

/** The file of the public keys, which `AUTH_JWKS` names. */
export function jwksPath(folder: string): string {
  return join(folder, "jwks.json");
}

/**
 * Changes the keys of a folder while nobody else does; the first one is made when there is none. Keys whose last token
 * has ended are dropped. The private key is kept apart from the public ones, in a file that its owner alone can read.
 */
export async function changeKeys<T>(
  { folder, clock }: KeyFolder,
  change: (keys: readonly SigningKey[]) => Promise<{ readonly keys: readonly SigningKey[]; readonly result: T }>,
): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unlock = await lock(join(folder, "lock"), clock);
  try {
    const found = readKeys(folder);
    const { keys, result } = await change(found.length === 0 ? [await newKey()] : found);
    const kept = keys.filter((key) => key.privateJwk !== undefined || key.tokensUntil + graceMs > clock.wall());
    write(jwksPath(folder), { keys: kept.map(published) }, 0o644); // first: nothing is signed with a key that is not known
    write(privatePath(folder), { keys: kept }, 0o600);
    return result;
  } finally {
    unlock();
  }
}

/** Makes a key. Its name is the hash of it (RFC 7638), so that no two are called the same. */
export async function newKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = (await calculateJwkThumbprint(publicJwk)).slice(0, 16);
  return { kid, publicJwk, privateJwk: await exportJWK(privateKey), tokensUntil: 0 };
}

/** As the JWKS has it. One that signs no more says when it ends, so that checkers drop it by themselves. */
function published({ kid, publicJwk, privateJwk, tokensUntil }: SigningKey) {
  const ends = privateJwk === undefined ? { exp: Math.ceil((tokensUntil + graceMs) / 1_000) } : {};
  return { ...publicJwk, kid, alg: signingAlgorithm, use: "sig", ...ends };
}

const privatePath = (folder: string) => join(folder, "signing-keys.json");

function readKeys(folder: string): readonly SigningKey[] {
  let text: string;
  try {
    text = readFileSync(privatePath(folder), "utf8");
  } catch (reason) {
    if (isCode(reason, "ENOENT")) return [];
    throw reason;
  }
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly SigningKey[] };
    return keys;
  } catch {
    throw new Error(`${privatePath(folder)} cannot be understood: remove the folder, and new keys are made`);
  }
}

/** Whole or not at all: who reads meanwhile finds what was there before. */
function write(path: string, content: unknown, mode: number): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode });
  chmodSync(draft, mode); // whatever the process's umask says
  renameSync(draft, path);
}

async function lock(path: string, clock: Clock): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (reason) {
      if (!isCode(reason, "EEXIST")) throw reason;
    }
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: clock.wall() };
    if (clock.wall() - mtimeMs > staleLockMs) rmSync(path, { force: true });
    else await clock.sleep(20);
  }
}

function isCode(reason: unknown, code: string): boolean {
  return reason instanceof Error && "code" in reason && reason.code === code;
}
