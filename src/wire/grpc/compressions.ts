import { promisify } from "node:util";
import { deflate, inflate, zstdCompress, zstdDecompress } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

/** Zstandard, which Node has since 22.15 and Connect does not offer. */
export const compressionZstd = zlibCompression("zstd", promisify(zstdCompress), promisify(zstdDecompress));

/** Deflate as HTTP means it, with the frame of zlib (RFC 9110 §8.4.1.2): gRPC names it besides gzip. */
export const compressionDeflate = zlibCompression("deflate", promisify(deflate), promisify(inflate));

/** Encodings that both ends understand, the preferred one first. */
export const compressions: readonly Compression[] = [
  compressionGzip,
  compressionBrotli,
  compressionZstd,
  compressionDeflate,
];

/** Messages shorter than this leave as they are: compressing them costs more than it saves. */
export const compressMinBytes = 1024;

/** The encodings as `grpc-accept-encoding` tells them. */
export const acceptedEncodings = compressions.map(({ name }) => name).join(",");

type Transform<O> = (bytes: Uint8Array, options: O) => Promise<Buffer>;

function zlibCompression(
  name: string,
  compress: Transform<Record<never, never>>,
  decompress: Transform<{ maxOutputLength: number }>,
): Compression {
  return {
    name,
    compress: async (bytes) => plain(await compress(bytes, {})),
    async decompress(bytes, readMaxBytes) {
      if (bytes.length === 0) return new Uint8Array(0);
      try {
        return plain(await decompress(bytes, { maxOutputLength: readMaxBytes }));
      } catch (cause) {
        throw refusal(cause, readMaxBytes);
      }
    },
  };
}

function plain(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function refusal(cause: unknown, readMaxBytes: number): ConnectError {
  const isTooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
  return isTooLarge
    ? new ConnectError(`a message of more than ${readMaxBytes} bytes once decompressed`, Code.ResourceExhausted)
    : new ConnectError("decompression failed", Code.InvalidArgument, undefined, undefined, cause);
}
