import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { RawMessage, rawMessage } from "../../call/raw-message.ts";
import type { Connection } from "../../http2/connection.ts";
import type { Stream } from "../../http2/stream.ts";
import { acceptedEncodings, compressions, compressMinBytes } from "./compressions.ts";
import { prefixBytes } from "./message-reader.ts";

/** The largest message either way, counted after decompression: gRPC's default of 4 MiB. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** The message itself, or made from what a handler or caller gave in its place. */
export function whole(schema: DescMessage, given: unknown): Message {
  const { $typeName } = given as Partial<Message>;
  if ($typeName === schema.typeName || given instanceof RawMessage) return given as Message;
  return create(schema, given as MessageInitShape<DescMessage>);
}

/** The message's bytes. Throws INTERNAL for what the schema does not take, RESOURCE_EXHAUSTED for more than `maxBytes`. */
export function encode(schema: DescMessage, message: Message, maxBytes: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = message instanceof RawMessage ? message.bytes : toBinary(schema, message);
  } catch (cause) {
    throw codecError(`cannot encode ${schema.typeName}`, cause);
  }
  if (bytes.length <= maxBytes) return bytes;
  throw new ConnectError(`a message of ${bytes.length} bytes; ${maxBytes} may be sent`, Code.ResourceExhausted);
}

/** The message that the bytes say; where it is to stay raw, the bytes. Throws an error of that code if they say none. */
export function decode(schema: DescMessage, bytes: Uint8Array, isRaw = false, code = Code.Internal): Message {
  if (isRaw) return rawMessage(bytes);
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw codecError(`cannot decode ${schema.typeName}`, cause, code);
  }
}

/**
 * What a server says of a request that is no message. gRPC libraries say INTERNAL; to circuits that is a server's failure,
 * and anybody could take a method away from everybody by a few bytes of nonsense.
 */
export const unreadableRequest = Code.InvalidArgument;

/**
 * Sends one message: its prefix and itself, in one DATA frame where they fit. False if some of it has to wait: then
 * `writable` tells when it has left.
 */
export function sendMessage(
  http2: Connection,
  stream: Stream,
  { bytes, isCompressed }: Encoded,
  isLast = false,
): boolean {
  prefix[0] = isCompressed ? 1 : 0;
  prefix[1] = bytes.length >>> 24;
  prefix[2] = bytes.length >>> 16;
  prefix[3] = bytes.length >>> 8;
  prefix[4] = bytes.length;
  const isEmpty = bytes.length === 0;
  const hasLeft = http2.sendData(stream, prefix, isLast && isEmpty);
  return isEmpty ? hasLeft : http2.sendData(stream, bytes, isLast);
}

/** One for all: `sendData` keeps what is as short as this for itself. */
const prefix = Buffer.alloc(prefixBytes);

/** A message on its way. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

/** The message's bytes, compressed where that is asked for and worth it. */
export function compressed(bytes: Uint8Array, by: Compression | undefined): Encoded | Promise<Encoded> {
  if (by === undefined || bytes.length < compressMinBytes) return { bytes, isCompressed: false };
  return by.compress(bytes as Uint8Array<ArrayBuffer>).then((made) => ({ bytes: made, isCompressed: true }));
}

/**
 * The bytes of a message that came compressed. Rejects with RESOURCE_EXHAUSTED if they are more than `maxBytes`; whoever
 * needs them is told, and it is no unhandled rejection if by then nobody does.
 */
export function decompressed(bytes: Uint8Array, by: Compression | undefined, maxBytes: number): Promise<Uint8Array> {
  const made =
    by === undefined
      ? Promise.reject(new ConnectError("a compressed message, and no grpc-encoding that says how", Code.Internal))
      : by.decompress(bytes as Uint8Array<ArrayBuffer>, maxBytes);
  made.catch(() => {});
  return made;
}

/** The compression of the name in `grpc-encoding`; `undefined` for none. Throws UNIMPLEMENTED for one not known here. */
export function compressionNamed(name: string | undefined): Compression | undefined {
  if (name === undefined || name === "identity") return undefined;
  const found = compressions.find((known) => known.name === name);
  if (found !== undefined) return found;
  const metadata = { "grpc-accept-encoding": acceptedEncodings };
  throw new ConnectError(
    `the encoding ${name} is not known here; ${acceptedEncodings} are`,
    Code.Unimplemented,
    metadata,
  );
}

function codecError(what: string, cause: unknown, code = Code.Internal): ConnectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(`${what}: ${why}`, code, undefined, undefined, cause);
}
