import { createHash } from "node:crypto";

/** 1 MiB: what one piece of a large body is. */
export const mebibyte = 1024 * 1024;

/** As many as make 64 MiB. */
export const many = 64;

const shifts = 251; // a prime: it takes long until two pieces begin alike
const endless = Buffer.concat(Array.from({ length: mebibyte / 32 + 8 }, (_, i) => hashOf(i)));

/** One piece, with bytes of its own that no compression makes fewer; every language makes the same ones. */
export function piece(i: number): Buffer {
  const start = (i * 31) % shifts;
  return endless.subarray(start, start + mebibyte);
}

/** Tells the SHA-256 of what it is given, in hexadecimal. */
export function digest() {
  const hash = createHash("sha256");
  return {
    add: (data: Uint8Array): void => void hash.update(data),
    hex: (): string => hash.digest("hex"),
  };
}

/** The digest of the first so many pieces. */
export function digestOf(count: number): string {
  const sum = digest();
  for (let i = 0; i < count; i++) sum.add(piece(i));
  return sum.hex();
}

/** Pieces as messages, counted in `told` as they are taken. */
export async function* pieces(count: number, told = { count: 0 }, first: { readonly text?: string } = {}) {
  for (let i = 0; i < count; i++) {
    told.count = i + 1;
    yield { ...(i === 0 && first), data: piece(i) };
  }
}

function hashOf(i: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(i);
  return createHash("sha256").update(bytes).digest();
}
