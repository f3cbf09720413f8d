import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Zstandard, which Node has since 22.15 and Connect does not offer. */
export const compressionZstd: Compression = {
  name: "zstd",
  compress: async (bytes) => plain(await compress(bytes)),
  async decompress(bytes, readMaxBytes) {
    if (bytes.length === 0) return new Uint8Array(0);
    try {
      return plain(await decompress(bytes, { maxOutputLength: readMaxBytes }));
    } catch (cause) {
      throw refusal(cause, readMaxBytes);
    }
  },
};

/** Encodings that both ends understand, the preferred one first. */
export const compressions: readonly Compression[] = [compressionGzip, compressionBrotli, compressionZstd];

/** Messages shorter than this leave as they are: compressing them costs more than it saves. */
export const compressMinBytes = 1024;

/** The encodings as `grpc-accept-encoding` tells them. */
export const acceptedEncodings = compressions.map(({ name }) => name).join(",");

function plain(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function refusal(cause: unknown, readMaxBytes: number): ConnectError {
  const isTooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
  return isTooLarge
    ? new ConnectError(`a message of more than ${readMaxBytes} bytes once decompressed`, Code.ResourceExhausted)
    : new ConnectError("decompression failed", Code.InvalidArgument, undefined, undefined, cause);
}
