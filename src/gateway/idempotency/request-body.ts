import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { maxMessageBytes } from "../../wire/grpc/messages.ts";
import type { KeyTrouble } from "./refusals.ts";

/** All of a request's body, or why it cannot be had: of a part of it nobody can say whether it is the same as before. */
export async function readRequest({ body }: UniversalServerRequest): Promise<Uint8Array | KeyTrouble> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > maxMessageBytes) return { kind: "too large", maxBytes: maxMessageBytes };
      pieces.push(piece);
    }
  } catch {
    return { kind: "broken off" }; // by its sender, who will hardly read the answer
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size);
}
