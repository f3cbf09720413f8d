import type { Clock } from "../base/clock.ts";
import { linkSignals } from "../base/signals.ts";
import { host } from "./plan.ts";
import type { StartedPart } from "./start-part.ts";

/** How long a part may take to turn ready. */
export const patienceMs = 30_000;

/** Between two looks. */
const pauseMs = 75;

/** How a start went: it is ready, why it did not come to be, or that nobody wants to know any more. */
export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "given-up" };

/** What waiting needs. */
export interface WaitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Waits until a started part says that it is ready, ends, has had its time, or the signal aborts. */
export async function readiness({ part, ended }: StartedPart, options: WaitOptions): Promise<Readiness> {
  const { clock, signal } = options;
  using link = linkSignals(signal);
  const isReady = async () => (await answers(`http://${host}:${part.adminPort}/readyz`, link.signal)) === 200;
  const outcome = await Promise.race([
    until(isReady, { clock, signal: link.signal }).then((ready): Readiness => {
      return ready ? { kind: "ready" } : { kind: "failed", why: `is not ready after ${patienceMs / 1_000} s` };
    }),
    ended.then((why): Readiness => ({ kind: "failed", why })),
  ]).finally(() => link.abort(new Error("the answer is known")));
  return signal.aborted ? { kind: "given-up" } : outcome;
}

/** Looks again and again until `test` holds. Resolves to false when patience ends. */
export async function until(test: () => Promise<boolean>, { clock, signal }: WaitOptions): Promise<boolean> {
  const endsAt = clock.now() + patienceMs;
  while (clock.now() < endsAt && !signal.aborted) {
    if (await test()) return true;
    await clock.sleep(pauseMs, signal).catch(() => {}); // aborted: the loop ends
  }
  return false;
}

/** The status that a URL answers with; `undefined` when nobody answers. */
async function answers(url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined; // not there yet
  }
}
