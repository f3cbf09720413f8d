import { isDeepStrictEqual } from "node:util";
import { ConnectionError, ErrorCode } from "../../http2/errors.ts";
import { HpackDecoder } from "../../http2/hpack-decoder.ts";
import { HpackEncoder } from "../../http2/hpack-encoder.ts";
import { fieldBytes } from "../../http2/hpack-table.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "../../http2/huffman.ts";
import { Output } from "../../http2/output.ts";
import { ReferenceDecoder } from "./hpack-reference.ts";
import { scramble } from "./mutate.ts";
import { promised, type Target } from "./target.ts";

/** Small, so that both sides of each limit are reached. */
const limits = { headerListBytes: 4_096, headerCount: 40 };

/** Header blocks one after the other through one decoder, each behind two bytes that say how long it is. */
export const hpack: Target = {
  name: "hpack",
  corpus: "hpack",
  split: splitBlocks,
  twist: (part, dice) => block(scramble(part.subarray(2), dice)),
  run(bytes, note) {
    const ends = { decoder: new HpackDecoder(limits), reference: new ReferenceDecoder(), relay: hpackRelay() };
    for (const part of splitBlocks(bytes)) {
      const fields = decoded(ends.decoder, part.subarray(2));
      promiseSame(ends.decoder, fields, reading(ends.reference, part.subarray(2)));
      note(`${fields === undefined ? "broken" : (ends.decoder.overflowed ?? "list")}`);
      if (fields === undefined) return; // the connection is over
      promiseWithinLimits(ends.decoder, fields);
      ends.relay(fields);
    }
  },
};

/** Huffman code: a code has one spelling, so that what is read is written the same, and the other way around. */
export const huffman: Target = {
  name: "huffman",
  corpus: "huffman",
  run(bytes, note) {
    const text = bytes.toString("latin1");
    const code = huffmanOf(text);
    promised(huffmanDecode(code, 0, code.length) === text, "what was written is read");
    promised(code.length === huffmanLength(text), "it is as long as foretold");
    const read = orBroken(() => huffmanDecode(bytes, 0, bytes.length));
    note(read === undefined ? "broken" : "text");
    promised(read === undefined || huffmanOf(read).equals(bytes), "what was read is written the same");
  },
};

/**
 * Passes lists on to another end, as a proxy would, and throws unless they arrive as they were. Of each list half goes
 * frozen, half as further fields; what may not be sent is refused, and does not harm the next list.
 */
export function hpackRelay(): (fields: readonly string[]) => void {
  const [encoder, decoder, output] = [new HpackEncoder(), new HpackDecoder(limits), new Output(() => {})];
  const known = new Map<string, readonly string[]>();
  return (fields) => {
    const key = JSON.stringify(fields);
    const first = known.get(key) ?? Object.freeze(fields.slice(0, (fields.length >> 2) * 2));
    if (known.size < 100) known.set(key, first);
    try {
      encoder.encode(first, fields.slice(first.length), output);
    } catch (error) {
      promised(error instanceof TypeError, `a list is refused by a TypeError, not ${error}`);
      promised(output.length === 0, "what is refused leaves nothing behind");
      return;
    }
    const sent = output.take() ?? Buffer.alloc(0);
    promised(isDeepStrictEqual(decoder.decode(sent, 0, sent.length), [...fields]), `${key} arrives as it was`);
  };
}

/** A block behind its length. */
export function block(bytes: Buffer): Buffer {
  const part = Buffer.concat([Buffer.alloc(2), bytes.subarray(0, 0xffff)]);
  part.writeUInt16BE(part.length - 2);
  return part;
}

function splitBlocks(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 2 + (bytes.length - at < 2 ? 0 : bytes.readUInt16BE(at));
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function decoded(decoder: HpackDecoder, bytes: Buffer): string[] | undefined {
  return orBroken(() => decoder.decode(bytes, 0, bytes.length));
}

function reading(reference: ReferenceDecoder, bytes: Buffer): string[] | undefined {
  try {
    return reference.decode(bytes);
  } catch {
    return undefined;
  }
}

function promiseWithinLimits(decoder: HpackDecoder, fields: readonly string[]): void {
  let size = 0;
  for (let i = 0; i < fields.length; i += 2) size += fieldBytes(fields[i] as string, fields[i + 1] as string);
  promised(fields.length <= limits.headerCount * 2 && size <= limits.headerListBytes, "a list is within the limits");
  promised(decoder.overflowed !== undefined || size === decoder.listBytes, "a list is whole unless it is too long");
}

function huffmanOf(text: string): Buffer {
  const target = Buffer.alloc(text.length * 4 + 4);
  return target.subarray(0, huffmanEncode(text, target, 0));
}

/** Throws unless both decoders read the same, or both nothing; beyond the limits ours keeps only the beginning. */
function promiseSame({ overflowed }: HpackDecoder, ours?: readonly string[], reference?: readonly string[]): void {
  const expected = ours === undefined || overflowed === undefined ? reference : reference?.slice(0, ours.length);
  promised(isDeepStrictEqual(ours, expected), `read as the RFC has it: ${JSON.stringify({ ours, reference })}`);
}

/** What `read` gives, or `undefined` if it said that the connection is broken: anything else that is thrown is a bug. */
function orBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConnectionError && error.code === ErrorCode.compressionError) return undefined;
    throw error;
  }
}
