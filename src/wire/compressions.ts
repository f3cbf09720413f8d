import { promisify } from "node:util";
import { deflate, inflate, zstdCompress, zstdDecompress } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

/** Zstandard: as small as gzip at a fraction of the time. */
export const compressionZstd = compression("zstd", promisify(zstdCompress), promisify(zstdDecompress));

/** Deflate as HTTP means it (RFC 9110 §8.4.1.2), for the sake of gRPC, which names it before all others. */
export const compressionDeflate = compression("deflate", promisify(deflate), promisify(inflate));

/** Encodings that both ends understand, the preferred one first. */
export const compressions: readonly Compression[] = [
  compressionGzip,
  compressionBrotli,
  compressionZstd,
  compressionDeflate,
];

type Transform<O> = (bytes: Uint8Array, options: O) => Promise<Buffer<ArrayBuffer>>;

function compression(
  name: string,
  compress: Transform<Record<never, never>>,
  decompress: Transform<{ maxOutputLength: number }>,
): Compression {
  return {
    name,
    compress: (bytes) => compress(bytes, {}),
    async decompress(bytes, readMaxBytes) {
      if (bytes.length === 0) return new Uint8Array();
      try {
        return await decompress(bytes, { maxOutputLength: readMaxBytes });
      } catch (reason) {
        throw failed(reason, readMaxBytes);
      }
    },
  };
}

/** Too large once decompressed, or none of what it says it is. */
function failed(reason: unknown, readMaxBytes: number): ConnectError {
  const tooLarge = (reason as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
  const message = tooLarge
    ? `message is larger than ${readMaxBytes} bytes after decompression`
    : "decompression failed";
  const code = tooLarge ? Code.ResourceExhausted : Code.InvalidArgument;
  return new ConnectError(message, code, undefined, undefined, reason);
}
