import { ConnectionError, ErrorCode } from "./errors.ts";

/**
 * Bits of the code of each octet, 16 a line, and of EOS (RFC 7541 Appendix B). The code is canonical: shorter before
 * longer, and within a length by octet, so the lengths are all there is to know.
 */
// biome-ignore format: a table
const codeBits = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const eos = 256;
const bitsOf = Uint8Array.from(codeBits);
const codeOf = assignCodes();

function assignCodes(): Uint32Array {
  const codes = new Uint32Array(codeBits.length);
  let next = 0;
  for (let bits = 5; bits <= 30; bits++) {
    next *= 2;
    for (let symbol = 0; symbol < codeBits.length; symbol++) if (codeBits[symbol] === bits) codes[symbol] = next++;
  }
  return codes;
}

/**
 * The decoder's moves, four bits at a time: from a node of the code's tree (256 of them within) and four bits, the next
 * node in bits 0 to 7, the octet that was completed in 8 to 15, and the flags below.
 */
const moves = new Uint32Array(256 * 16);
const emits = 1 << 16;
const fails = 1 << 17;
/** Whether the bits since the last octet may be padding: fewer than eight, all ones (RFC 7541 §5.2). */
const mayEnd = new Uint8Array(256);
buildMoves();

function buildMoves(): void {
  const children: [number, number][] = [[-1, -1]]; // a node's index, or 1000 + symbol
  for (let symbol = 0; symbol < codeBits.length; symbol++) {
    let node = 0;
    for (let bit = (bitsOf[symbol] as number) - 1; bit >= 0; bit--) {
      const side = (((codeOf[symbol] as number) >>> bit) & 1) as 0 | 1;
      const pair = children[node] as [number, number];
      if (bit === 0) pair[side] = 1000 + symbol;
      else if (pair[side] < 0) pair[side] = children.push([-1, -1]) - 1;
      node = pair[side];
    }
  }
  for (let node = 0; node < children.length; node++) {
    for (let nibble = 0; nibble < 16; nibble++) moves[node * 16 + nibble] = moveOf(children, node, nibble);
  }
  for (let node = 0, ones = 0; ones < 8; ones++) {
    mayEnd[node] = 1;
    node = (children[node] as [number, number])[1];
  }
}

function moveOf(children: readonly [number, number][], from: number, nibble: number): number {
  let node = from;
  let flags = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const to = (children[node] as [number, number])[((nibble >>> bit) & 1) as 0 | 1];
    if (to === 1000 + eos) return fails;
    if (to >= 1000) flags = emits | ((to - 1000) << 8);
    node = to >= 1000 ? 0 : to;
  }
  return flags | node;
}

let scratch = Buffer.allocUnsafeSlow(1_024);

/** The text that `bytes` from `start` to `end` encode; octets above 0x7f become U+0080 to U+00FF. */
export function huffmanDecode(bytes: Buffer, start: number, end: number): string {
  if (scratch.length < (end - start) * 2) scratch = Buffer.allocUnsafeSlow((end - start) * 2); // no code is under 5 bits
  let node = 0;
  let length = 0;
  let failed = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    const high = moves[(node << 4) | (byte >>> 4)] as number;
    if (high & emits) scratch[length++] = high >>> 8;
    const low = moves[((high & 0xff) << 4) | (byte & 15)] as number;
    if (low & emits) scratch[length++] = low >>> 8;
    node = low & 0xff;
    failed |= high | low;
  }
  if (failed & fails || mayEnd[node] === 0) throw new ConnectionError(ErrorCode.compressionError, "bad Huffman code");
  return scratch.toString("latin1", 0, length);
}

/** How many bytes `text` takes when encoded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += bitsOf[text.charCodeAt(at) & 0xff] as number;
  return (bits + 7) >>> 3;
}

/** Writes `text` encoded into `target` from `offset` on, and returns where it ends. */
export function huffmanEncode(text: string, target: Buffer, offset: number): number {
  let to = offset;
  let held = 0;
  let count = 0; // bits held back: never 8 or more between two steps
  for (let at = 0; at < text.length; at++) {
    const symbol = text.charCodeAt(at) & 0xff;
    const code = codeOf[symbol] as number;
    let bits = bitsOf[symbol] as number;
    while (bits > 0) {
      const step = bits > 16 ? bits - 16 : bits; // 7 held and 16 more fit 31 bits
      bits -= step;
      held = (held << step) | ((code >>> bits) & ((1 << step) - 1));
      count += step;
      for (; count >= 8; count -= 8) target[to++] = held >>> (count - 8);
      held &= 0xff;
    }
  }
  if (count > 0) target[to++] = (held << (8 - count)) | (0xff >>> count);
  return to;
}
