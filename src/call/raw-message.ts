import { create, type DescMethod, fromBinary, type Message } from "@bufbuild/protobuf";

/**
 * A message as its bytes, on its way through: nobody has decoded it, and what is in it is for its reader to say. It
 * stands where calls that are made `isRaw` have a message.
 */
export class RawMessage {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The same where types ask for a message. */
export function rawMessage(bytes: Uint8Array): Message {
  return new RawMessage(bytes) as unknown as Message;
}

/** The request in a raw one, for who has to look into it after all: an empty one where it says nothing that can be read. */
export function readMessage({ input }: DescMethod, raw: RawMessage): Message {
  try {
    return fromBinary(input, raw.bytes);
  } catch {
    return create(input); // who the call is for will say what is wrong
  }
}
