import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { untilAborted } from "./stream.ts";

/**
 * Tells once how an answer ended: with nothing, or with why it failed. A unary answer ends when it is there, a stream
 * with its last message, its error, its call's signal, or when its reader leaves (which counts as no failure).
 */
export async function ended(
  answer: Promise<UnaryResponse | StreamResponse>,
  signal: AbortSignal,
  onEnd: (reason?: unknown) => void,
): Promise<UnaryResponse | StreamResponse> {
  let res: UnaryResponse | StreamResponse;
  try {
    res = await answer;
  } catch (reason) {
    onEnd(reason);
    throw reason;
  }
  if (res.stream) return { ...res, message: untilAborted(res.message, signal, onEnd) };
  onEnd();
  return res;
}
