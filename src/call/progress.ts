import type { ConnectError } from "@connectrpc/connect";

/**
 * How far a failed attempt got. `not-sent`: no byte of it left. `refused`: the peer said that it did nothing with it
 * (REFUSED_STREAM, or GOAWAY below its stream). `processed`: it may have been acted on; the safe assumption.
 */
export type Progress = "not-sent" | "refused" | "processed";

const progresses = new WeakMap<ConnectError, Progress>();

/** Notes on the error how far its attempt got, and returns it. */
export function withProgress(error: ConnectError, progress: Progress): ConnectError {
  progresses.set(error, progress);
  return error;
}

/** How far the attempt that failed with this error got. */
export function progressOf(error: ConnectError): Progress {
  return progresses.get(error) ?? "processed";
}
