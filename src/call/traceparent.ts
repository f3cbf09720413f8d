import type { Random } from "../base/random.ts";

/**
 * Starts a trace: a `traceparent` with new ids (https://www.w3.org/TR/trace-context/). Its flag says "sampled", for a
 * peer with a tracer of its own must not stop recording because nobody above it has one.
 *
 * Written digit by digit into bytes, in less than a fifth of a microsecond: every call that nobody traces yet pays it.
 */
export function newTraceparent(random: Random): string {
  for (const at of words) putHex(at, random() * 2 ** 32);
  putHex(lastOfTrace, (random() * 2 ** 32) | 1); // an id of nothing but zeros is none
  putHex(lastOfSpan, (random() * 2 ** 32) | 1);
  return text.toString("latin1");
}

/** The trace id in a `traceparent`; `undefined` where there is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : shape.exec(traceparent)?.[1];
}

/** The trace id that somebody has typed or pasted: by itself, or within a `traceparent`; `undefined` if it is neither. */
export function traceIdIn(text: string): string | undefined {
  const typed = text.trim().toLowerCase();
  return bare.test(typed) ? typed : traceIdOf(typed);
}

const bare = /^(?!0{32})[0-9a-f]{32}$/;
const shape = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;
const text = Buffer.from("00-00000000000000000000000000000000-0000000000000000-01", "latin1");
const digits = Buffer.from("0123456789abcdef", "latin1");
/** Where the ids' words of 32 bits begin. */
const words = [3, 11, 19, 36] as const;
const lastOfTrace = 27;
const lastOfSpan = 44;

function putHex(at: number, word: number): void {
  let rest = word >>> 0;
  for (let i = at + 7; i >= at; i--) {
    text[i] = digits[rest & 15] as number;
    rest >>>= 4;
  }
}
