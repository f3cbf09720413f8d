import type { UniversalClientRequest } from "@connectrpc/connect/protocol";
import type { Session } from "../wire/engine.ts";

/** How large the pieces of a body are. */
export const pieceBytes = 64 * 1024;

/** A body of so many bytes, each piece of its own; tells how many were asked for. */
export async function* pieces(bytes: number, sent = { bytes: 0 }): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, bytes - at)).fill((at / pieceBytes) % 251);
    sent.bytes += piece.length;
    yield piece;
    if (at % (64 * pieceBytes) === 0) await new Promise((resolve) => setImmediate(resolve)); // lets others have a turn
  }
}

/** Reads a body: how long it is, and a sum that changes when two of its bytes change places. */
export async function read(body: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number; readonly sum: number }> {
  let [bytes, sum] = [0, 0];
  for await (const piece of body) {
    for (const byte of piece) sum = (sum * 31 + byte) | 0;
    bytes += piece.length;
  }
  return { bytes, sum };
}

/** A request of a session. */
export function requestOf(
  { origin }: Session,
  { path = "/a", method, body, signal }: Partial<UniversalClientRequest> & { readonly path?: string } = {},
): UniversalClientRequest {
  const verb = method ?? (body === undefined ? "GET" : "POST");
  return { url: `${origin}${path}`, method: verb, header: new Headers(), body, ...(signal && { signal }) } as never;
}
