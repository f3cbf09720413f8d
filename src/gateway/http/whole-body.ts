import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/** An answer that is whole when it begins is read into memory up to here: no message is larger. */
const maxWholeBytes = 8 * 1024 * 1024;

/**
 * How long the body of an answer is that is whole when it begins: its Content-Length says so. `undefined` for a stream,
 * which nobody may wait for the end of, for an answer without a body, and for one that is too long to be held.
 */
export function wholeLength({ header, body }: UniversalServerResponse): number | undefined {
  const told = body === undefined ? null : (header?.get("content-length") ?? null);
  if (told === null) return undefined;
  const length = Number(told);
  return length <= maxWholeBytes ? length : undefined;
}

/** Reads a body of `length` bytes to its end. What comes in one piece, as nearly all do, is not copied. */
export async function readWhole(body: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done === true) return new Uint8Array(0);
  if (first.value.length >= length) return first.value;
  const read = [first.value];
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) read.push(next.value);
  return Buffer.concat(read);
}

/** Adds a name to `Vary`, once. */
export function addVary(header: Headers, name: string): void {
  const told = header.get("vary");
  if (told === null) header.set("vary", name);
  else if (
    !told
      .toLowerCase()
      .split(/\s*,\s*/)
      .includes(name.toLowerCase())
  )
    header.append("vary", name);
}
