import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Whom to call, and of whom to ask. */
export interface Caller {
  /** "host:port". */
  readonly address: string;
  readonly id: bigint;
}

/** How calls fared. */
export interface Calls {
  readonly p99Ms: number;
  readonly failed: number;
}

/**
 * GetUser straight to the user service, at a fixed rate whatever becomes of the calls before, until `done` settles. From a thread of
 * its own: who counts rows meanwhile keeps no call waiting.
 */
export async function callUntil(caller: Caller, done: Promise<unknown>): Promise<Calls> {
  const thread = new Worker(new URL("./caller.ts", import.meta.url), { workerData: caller });
  const told = once(thread, "message");
  const stop = () => thread.postMessage("stop");
  done.then(stop, stop);
  const [calls] = (await told) as [Calls];
  return calls;
}
