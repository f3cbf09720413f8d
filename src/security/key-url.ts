import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { type KeySet, type KeySource, readKeySet } from "./key-set.ts";
import { keysUnavailable } from "./refusals.ts";

/** What asking a URL for keys needs. */
export interface KeyUrlOptions {
  readonly url: string;
  /** Age at which the keys are asked for again, in milliseconds. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long the URL may take to answer. */
const answerMs = 5_000;
/** Between two looks for a key that is not known: whoever makes up such keys must not make us hammer the URL. */
const cooldownMs = 10_000;
/** Between two tries while it does not answer. */
const retryMs = 1_000;
/** No JWKS is longer. */
const maxBytes = 1024 * 1024;

interface Known {
  readonly keys: KeySet;
  readonly text: string;
  readonly askedAt: number;
}

/**
 * Keys from a URL, as an identity provider tells them. They are asked for when the first token comes, again when they
 * have come of age, and at once for a key that is not known; all who wait share one request. While the URL is away the
 * keys stay as they are.
 */
export class KeyUrl implements KeySource {
  readonly #options: KeyUrlOptions;
  #known: Known | undefined;
  /** Whether the last try has failed. */
  #isAway = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<KeySet> | undefined;

  constructor(options: KeyUrlOptions) {
    this.#options = options;
  }

  current(): KeySet | Promise<KeySet> {
    const known = this.#known;
    const { clock, maxAgeMs } = this.#options;
    const now = clock.now();
    if (known !== undefined && now - known.askedAt < maxAgeMs) return known.keys;
    const asking = this.#ask(now, retryMs);
    if (known === undefined) return asking;
    asking.catch(() => {}); // logged there
    const isOld = now - known.askedAt >= 2 * maxAgeMs; // nobody has asked for so long: who knows what has become of them
    return isOld && !this.#isAway ? asking : known.keys;
  }

  async newer(known: KeySet): Promise<KeySet> {
    if (this.#known !== undefined && this.#known.keys !== known) return this.#known.keys;
    return this.#ask(this.#options.clock.now(), cooldownMs);
  }

  /** Asks the URL, unless it was asked less than `pauseMs` ago: then what is known has to do. */
  #ask(now: number, pauseMs: number): Promise<KeySet> {
    if (this.#asking !== undefined) return this.#asking;
    if (now - this.#triedAt < pauseMs) {
      return this.#known === undefined ? Promise.reject(keysUnavailable(retryMs)) : Promise.resolve(this.#known.keys);
    }
    this.#triedAt = now;
    this.#asking = this.#askNow(now).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askNow(askedAt: number): Promise<KeySet> {
    const { url, clock, log } = this.#options;
    try {
      const text = await download(url, clock);
      const keys = this.#known?.text === text ? this.#known.keys : readKeySet(text, log);
      this.#known = { keys, text, askedAt };
      this.#isAway = false;
      return keys;
    } catch (reason) {
      this.#isAway = true;
      const problem = messageOf(reason);
      const kept = this.#known === undefined ? "no token can be checked" : "the keys stay as they were";
      log.warn(`the keys cannot be asked for; ${kept}`, { url, problem });
      if (this.#known === undefined) throw keysUnavailable(retryMs);
      return this.#known.keys;
    }
  }
}

/** A redirect is no answer: keys come from where the settings say, or not at all. */
async function download(url: string, clock: Clock): Promise<string> {
  const late = new AbortController();
  const timer = clock.setTimer(answerMs, () => late.abort(new Error(`no answer within ${answerMs} ms`)), true);
  try {
    const headers = { accept: "application/jwk-set+json, application/json" };
    const response = await fetch(url, { signal: late.signal, redirect: "manual", headers });
    if (response.status !== 200) throw new Error(`it answers with status ${response.status}`);
    return await textOf(response);
  } finally {
    timer.cancel();
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
