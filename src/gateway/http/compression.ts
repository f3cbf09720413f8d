import { promisify } from "node:util";
import { brotliCompress, gzip, constants as zlib, zstdCompress } from "node:zlib";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { WholeBody } from "../../call/whole-body.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { acceptedEncoding, type ContentEncoding } from "./accepted-encoding.ts";
import { readWhole, wholeLength } from "./answer-body.ts";
import { addVary } from "./vary.ts";

/** Shorter bodies leave as they are: they fit in a packet or two either way. */
const minBytes = 1_024;

/** Types whose bodies are text, or as loosely packed. What gRPC and Connect's streams carry is compressed by themselves. */
const compressible =
  /^(?:text\/(?!event-stream)|image\/svg\+xml|(?:application|model|message)\/(?:[\w.-]+\+)?(?:json|xml|yaml|proto|protobuf|x-protobuf|javascript|wasm)\b)/i;

const [gzipped, brotlied, zstded] = [promisify(gzip), promisify(brotliCompress), promisify(zstdCompress)];

/** On zlib's threads, so that the event loop goes on; at levels that save most of what there is to save for little. */
const compressors: Readonly<Record<ContentEncoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  gzip: (bytes) => gzipped(bytes, { level: 6 }),
  br: (bytes) =>
    brotlied(bytes, {
      params: { [zlib.BROTLI_PARAM_QUALITY]: 4, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  zstd: (bytes) => zstded(bytes, { params: { [zlib.ZSTD_c_compressionLevel]: 3 } }),
};

/**
 * Compresses whole answers of 1 KiB and more for those who accept that, and tells caches that it depends on them. What is
 * compressed already, by its type or by `Content-Encoding`, a part of a larger whole, and what `no-transform` stands on
 * leave as they are; so do streams, whose messages are not to wait for each other.
 */
export function withCompression(inner: HttpHandler): HttpHandler {
  return async (request) => {
    const answer = await inner(request);
    const { status, header } = answer;
    if (header === undefined) return answer;
    if (status === 304) addVary(header, "Accept-Encoding"); // as the answer that it stands for
    const length = wholeLength(answer);
    if (length === undefined || length < minBytes || !mayChange(status, header)) return answer;
    addVary(header, "Accept-Encoding");
    const encoding = header.has("content-encoding")
      ? undefined
      : acceptedEncoding(request.header.get("accept-encoding"));
    if (encoding !== undefined) await compress(answer, encoding);
    return answer;
  };
}

function mayChange(status: number, header: Headers): boolean {
  if (status === 206 || !compressible.test(header.get("content-type") ?? "")) return false;
  return !header.get("cache-control")?.includes("no-transform");
}

async function compress(answer: UniversalServerResponse, encoding: ContentEncoding): Promise<void> {
  const { header, body } = answer;
  if (header === undefined || body === undefined) return;
  const whole = await readWhole(body);
  const bytes = await compressors[encoding](whole.bytes);
  const isShorter = bytes.length < whole.sizeBytes;
  answer.body = isShorter ? new WholeBody(bytes) : whole;
  if (!isShorter) return;
  header.set("content-encoding", encoding);
  header.set("content-length", String(bytes.length));
  header.delete("accept-ranges"); // parts are parts of what was compressed
  const tag = header.get("etag");
  if (tag !== null && !tag.startsWith("W/")) header.set("etag", `W/${tag}`); // byte for byte it is another one now
}
