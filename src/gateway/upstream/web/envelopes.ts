import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { RawMessage } from "../../../call/raw-message.ts";
import { MessageReader, prefixBytes } from "../../../wire/grpc/message-reader.ts";
import { compressed, decompressed, maxMessageBytes } from "../../../wire/grpc/messages.ts";

interface Found {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

/** The messages in a body of length-prefixed ones, as they arrive, decompressed and not decoded. */
export async function* rawMessages(
  body: AsyncIterable<Uint8Array>,
  compression: Compression | null,
): AsyncGenerator<RawMessage> {
  const found: Found[] = [];
  const reader = new MessageReader(
    { message: (bytes, isCompressed) => found.push({ bytes, isCompressed }) },
    maxMessageBytes,
  );
  for await (const piece of body) {
    reader.read(piece, 0, piece.length);
    for (const { bytes, isCompressed } of found.splice(0)) {
      const by = compression ?? undefined;
      yield new RawMessage(isCompressed ? await decompressed(bytes, by, maxMessageBytes) : bytes);
    }
  }
  reader.end();
}

/** The one message that there is to be. Rejects if there is none, or another one. */
export async function onlyMessage(messages: AsyncIterable<RawMessage>): Promise<RawMessage> {
  let only: RawMessage | undefined;
  for await (const message of messages) {
    if (only !== undefined) throw new ConnectError("more than one message of a request", Code.Unimplemented);
    only = message;
  }
  if (only === undefined) throw new ConnectError("a request without a message", Code.Unimplemented);
  return only;
}

/** A message behind its prefix, compressed where that is agreed on and worth it. A long one is not copied for it. */
export async function envelope(message: unknown, compression: Compression | null): Promise<readonly Uint8Array[]> {
  const { bytes, isCompressed } = await compressed((message as RawMessage).bytes, compression ?? undefined);
  return framed(isCompressed ? 1 : 0, bytes);
}

/** Bytes behind a prefix of these flags. */
export function framed(flags: number, bytes: Uint8Array): readonly Uint8Array[] {
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return bytes.length > shortBytes ? [prefix, bytes] : [Buffer.concat([prefix, bytes])];
}

/** What is copied to leave in one piece. */
const shortBytes = 16 * 1024;
