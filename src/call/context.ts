import { AsyncLocalStorage } from "node:async_hooks";
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Criticality } from "./criticality.ts";

/** The call that is being served: what calls made on its behalf inherit without being told. */
export interface CurrentCall {
  /** When its deadline passes, in milliseconds since the epoch. */
  readonly deadlineAt?: number | undefined;
  /** Aborts when its caller gave up or its deadline passed. */
  readonly signal?: AbortSignal | undefined;
  /** Its place in a trace (W3C). May be set where its caller brought none, for all calls made on its behalf. */
  traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** How much it matters that it is answered. Calls made on its behalf matter no more. */
  readonly criticality?: Criticality | undefined;
  /** What its caller proves itself with. Shown to nobody else, unless a mesh is told to. */
  readonly authorization?: string | undefined;
  /** Which sending of it this is, counted from 1. */
  readonly attempt?: number | undefined;
  /** How many hops above, its own included, are attempts after the first. */
  readonly retryDepth?: number | undefined;
}

const storage = new AsyncLocalStorage<CurrentCall>();

/** The call being served here, if any. */
export function currentCall(): CurrentCall | undefined {
  return storage.getStore();
}

/** Runs `fn`, and all it starts, on behalf of a call. */
export function runInCall<T>(call: CurrentCall, fn: () => T): T {
  return storage.run(call, fn);
}

/**
 * Runs `fn` on behalf of nobody: for work that outlives the call that happened to start it. It is out of the call's
 * transaction, too, which MikroORM would otherwise take for its own long after it was committed.
 */
export function runDetached<T>(fn: () => T): T {
  return outside(fn) as T;
}

/** Where nothing is under way: as it was when this file was loaded. */
const outside: (fn: () => unknown) => unknown = AsyncLocalStorage.snapshot();

/** The number of an attempt, counted from 1. */
export const attemptKey = createContextKey(1, { description: "attempt" });

/** When the call's deadline passes, in milliseconds since the epoch. */
export const deadlineKey = createContextKey<number | undefined>(undefined, { description: "deadline" });

/**
 * Values for one call, on top of those its caller gave: the caller may give the same ones to several calls at once, and
 * none of them sees what another's steps have noted.
 */
export function ownValues(given?: ContextValues): ContextValues {
  const own = new Map<symbol, unknown>();
  const values: ContextValues = {
    get: <T>(key: { id: symbol; defaultValue: T }) =>
      own.has(key.id) ? (own.get(key.id) as T) : (given?.get(key) ?? key.defaultValue),
    set(key, value) {
      own.set(key.id, value);
      return values;
    },
    delete(key) {
      own.set(key.id, key.defaultValue);
      return values;
    },
  };
  return values;
}
