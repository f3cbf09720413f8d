import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { gather, WholeBody } from "../../call/whole-body.ts";

/** An answer that is whole when it begins is read into memory up to here: no message is larger. */
const maxWholeBytes = 8 * 1024 * 1024;

/**
 * How long the body of an answer is that is whole when it begins: its Content-Length says so. `undefined` for a stream,
 * which nobody may wait for the end of, for an answer without a body, and for one that is too long to be held.
 */
export function wholeLength({ header, body }: UniversalServerResponse): number | undefined {
  if (body instanceof WholeBody) return body.sizeBytes;
  const told = body === undefined ? null : (header?.get("content-length") ?? null);
  if (told === null) return undefined;
  const length = Number(told);
  return length <= maxWholeBytes ? length : undefined;
}

/** The body, all there. What is all there already, as nearly all is, is not touched. */
export async function readWhole(body: AsyncIterable<Uint8Array>): Promise<WholeBody> {
  if (body instanceof WholeBody) return body;
  const bytes = await gather(body, maxWholeBytes);
  if (bytes === undefined) throw new Error("a body is longer than its Content-Length says");
  return new WholeBody(bytes);
}

/** Gives up a body that nobody will read; how that ends is nobody's concern. */
export function discard(body: UniversalServerResponse["body"]): void {
  body?.[Symbol.asyncIterator]()
    .return?.()
    .catch(() => {});
}
