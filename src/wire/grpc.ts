import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Compression, UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { compressions } from "./compressions.ts";
import type { Session } from "./engine.ts";

/** The largest message either way, counted after decompression: gRPC's default of 4 MiB. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** What a gRPC transport may differ in. */
export interface GrpcTransportOptions {
  readonly interceptors?: readonly Interceptor[];
  /** How to compress requests of 1 KiB and more. By default they go as they are. */
  readonly sendCompression?: Compression;
  /** The largest answer, counted after decompression. Default 4 MiB, as gRPC has it. */
  readonly maxResponseBytes?: number;
}

/** A Connect transport that speaks gRPC over one session. */
export function grpcTransport(session: Session, options: GrpcTransportOptions = {}): Transport {
  return grpcTransportOver(session.request, session.origin, options);
}

/** A Connect transport that speaks gRPC over whatever sends a request for it. */
export function grpcTransportOver(
  httpClient: UniversalClientFn,
  baseUrl: string,
  { interceptors = [], sendCompression, maxResponseBytes = maxMessageBytes }: GrpcTransportOptions = {},
): Transport {
  return createTransport({
    httpClient,
    baseUrl,
    useBinaryFormat: true,
    interceptors: [...interceptors],
    acceptCompression: [...compressions],
    sendCompression: sendCompression ?? null,
    compressMinBytes: 1024,
    readMaxBytes: maxResponseBytes,
    writeMaxBytes: maxMessageBytes,
  });
}
