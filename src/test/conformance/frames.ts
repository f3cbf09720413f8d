import type { Readable, Writable } from "node:stream";

/** The messages of the suite's protocol: each behind its length in four bytes, the highest first. */
export async function* frames(input: Readable): AsyncGenerator<Uint8Array> {
  let seen = Buffer.alloc(0);
  for await (const chunk of input) {
    seen = Buffer.concat([seen, chunk as Buffer]);
    while (seen.length >= 4 && seen.length >= 4 + seen.readUInt32BE()) {
      const end = 4 + seen.readUInt32BE();
      yield seen.subarray(4, end);
      seen = seen.subarray(end);
    }
  }
}

/** Writes one of them. */
export function writeFrame(output: Writable, message: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  output.write(Buffer.concat([length, message])); // at once: answers may be under way side by side
}
