import { ConnectError } from "@connectrpc/connect";
import { MessageReader, prefixBytes } from "../../wire/grpc/message-reader.ts";
import { scramble } from "./mutate.ts";
import { promiseCutsDoNotMatter, shredded } from "./pieces.ts";
import { promised, type Target } from "./target.ts";

const maxMessageBytes = 4_096;

/** The messages of a gRPC body, cut out of it: nothing lost, nothing made up, nothing longer than allowed. */
export const grpcMessages: Target = {
  name: "grpc-messages",
  corpus: "grpc-messages",
  split: splitMessages,
  twist: (part, dice) => message(part[0] ?? 0, scramble(part.subarray(prefixBytes), dice)),
  run(bytes, note) {
    const { messages, end } = readMessages([bytes]);
    const read = Buffer.concat(messages);
    promised(bytes.subarray(0, read.length).equals(read), "the messages are the bytes in their order");
    promised(
      messages.every(({ length }) => length <= prefixBytes + maxMessageBytes),
      "none is longer than allowed",
    );
    promised(end !== "whole" || read.length === bytes.length, "what is whole leaves nothing over");
    promiseCutsDoNotMatter(bytes, shredded(bytes), readMessages);
    note(`${end} ${messages.length > 0}`);
  },
};

/** The messages of `pieces`, prefixes and all, and how the reading ended. */
export function readMessages(pieces: readonly Buffer[]): { messages: Buffer[]; end: string } {
  const messages: Buffer[] = [];
  const sink = {
    message: (bytes: Uint8Array, isCompressed: boolean) => messages.push(message(isCompressed ? 1 : 0, bytes)),
  };
  const reader = new MessageReader(sink, maxMessageBytes);
  try {
    for (const piece of pieces) reader.read(piece, 0, piece.length);
    reader.end();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { messages, end: error.message.replace(/0x\w+|\d+/g, "#") };
  }
  return { messages, end: "whole" };
}

function message(flags: number, bytes: Uint8Array): Buffer {
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

function splitMessages(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.length - at < prefixBytes ? bytes.length : prefixBytes + bytes.readUInt32BE(at + 1);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}
