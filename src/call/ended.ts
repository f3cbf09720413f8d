import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";

/**
 * Tells once how an answer ended: with nothing, or with why it failed. A unary answer ends when it is there, a stream
 * with its last message, its error, or when its reader leaves (which counts as no failure).
 */
export async function ended(
  answer: Promise<UnaryResponse | StreamResponse>,
  onEnd: (reason?: unknown) => void,
): Promise<UnaryResponse | StreamResponse> {
  let res: UnaryResponse | StreamResponse;
  try {
    res = await answer;
  } catch (reason) {
    onEnd(reason);
    throw reason;
  }
  if (res.stream) return { ...res, message: endedStream(res.message, onEnd) };
  onEnd();
  return res;
}

async function* endedStream<T>(source: AsyncIterable<T>, onEnd: (reason?: unknown) => void): AsyncIterable<T> {
  let failed: { readonly reason: unknown } | undefined;
  try {
    yield* source;
  } catch (reason) {
    failed = { reason };
    throw reason;
  } finally {
    onEnd(failed?.reason);
  }
}
