import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, type ZlibOptions, zstdDecompress } from "node:zlib";
import { bodyTooLarge, unknownEncoding, unreadable } from "../refusal.ts";

type Decompress = (bytes: Uint8Array, limits: Pick<ZlibOptions, "maxOutputLength">) => Promise<Uint8Array>;

const gunzipped: Decompress = promisify(gunzip);

/** On zlib's threads, so that the event loop goes on. */
const decompressors: ReadonlyMap<string, Decompress> = new Map([
  ["gzip", gunzipped],
  ["x-gzip", gunzipped],
  ["br", promisify(brotliDecompress)],
  ["zstd", promisify(zstdDecompress)],
  ["deflate", promisify(inflate)],
]);

/** The encodings as `Accept-Encoding` tells them. */
const accepted = "gzip, br, zstd, deflate";

/** No more than one encoding upon another is read: who sends more means to keep us busy. */
const maxEncodings = 2;

/**
 * The body without its `Content-Encoding` (https://www.rfc-editor.org/rfc/rfc9110.html#section-8.4). Whatever would be
 * more than `maxBytes` is not unpacked to its end: 413. An encoding that is not known is 415, one that it is not in, 400.
 */
export async function decoded(body: Uint8Array, encodings: string | null, maxBytes: number): Promise<Uint8Array> {
  if (encodings === null) return body;
  const names = encodings.toLowerCase().split(",").map(trimmed).filter(isCoded);
  if (names.length > maxEncodings) throw unknownEncoding(encodings, accepted);
  let bytes = body;
  for (const name of names.reverse()) bytes = await decompressed(bytes, name, maxBytes); // the last one was put on last
  return bytes;
}

async function decompressed(bytes: Uint8Array, name: string, maxBytes: number): Promise<Uint8Array> {
  const decompress = decompressors.get(name);
  if (decompress === undefined) throw unknownEncoding(name, accepted);
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes });
  } catch (reason) {
    const isTooLarge = reason instanceof Error && "code" in reason && reason.code === "ERR_BUFFER_TOO_LARGE";
    if (isTooLarge) throw bodyTooLarge(maxBytes);
    throw unreadable(`Content-Encoding says ${name}, and the body is not in it, or not whole`);
  }
}

const trimmed = (name: string): string => name.trim();
const isCoded = (name: string): boolean => name !== "" && name !== "identity";
