import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { gather, isByteStream } from "../../call/whole-body.ts";
import { maxMessageBytes } from "../../wire/grpc/messages.ts";
import type { KeyTrouble } from "./refusals.ts";

/** All of a request's body, or why it cannot be had: of a part of it nobody can say whether it is the same as before. */
export async function readRequest({ body }: UniversalServerRequest): Promise<Uint8Array | KeyTrouble> {
  if (!isByteStream(body)) return new Uint8Array(0);
  try {
    const bytes = await gather(body, maxMessageBytes);
    return bytes ?? { kind: "too large", maxBytes: maxMessageBytes };
  } catch {
    return { kind: "broken off" }; // by its sender, who will hardly read the answer
  }
}
