import type { Interceptor, Transport } from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { Session } from "./engine.ts";

/** The largest message either way, counted after decompression: gRPC's default of 4 MiB. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** Encodings that both ends understand, the preferred one first. */
export const compressions = [compressionGzip, compressionBrotli];

/** What a gRPC transport may differ in. */
export interface GrpcTransportOptions {
  readonly interceptors?: readonly Interceptor[];
}

/** A Connect transport that speaks gRPC over one session. */
export function grpcTransport(session: Session, options: GrpcTransportOptions = {}): Transport {
  return grpcTransportOver(session.request, session.origin, options);
}

/** A Connect transport that speaks gRPC over whatever sends a request for it. */
export function grpcTransportOver(
  httpClient: UniversalClientFn,
  baseUrl: string,
  { interceptors = [] }: GrpcTransportOptions = {},
): Transport {
  return createTransport({
    httpClient,
    baseUrl,
    useBinaryFormat: true,
    interceptors: [...interceptors],
    acceptCompression: compressions,
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  });
}
