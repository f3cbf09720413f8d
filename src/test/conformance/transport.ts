import type { Transport } from "@connectrpc/connect";
import type { CommonTransportOptions, Compression } from "@connectrpc/connect/protocol";
import { createTransport as createConnect } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import { contractRegistry } from "../../rest/registry.ts";
import { compressions } from "../../wire/compressions.ts";
import type { Session } from "../../wire/engine.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { grpcTransport, maxMessageBytes } from "../../wire/grpc.ts";
import type { ClientCompatRequest } from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { Codec, Compression as Encoding, Protocol } from "./gen/connectrpc/conformance/v1/config_pb.ts";
import { ConformanceService } from "./gen/connectrpc/conformance/v1/service_pb.ts";

const encodings: Readonly<Partial<Record<Encoding, string>>> = {
  [Encoding.GZIP]: "gzip",
  [Encoding.BR]: "br",
  [Encoding.ZSTD]: "zstd",
  [Encoding.DEFLATE]: "deflate",
};
const registry = contractRegistry([ConformanceService]);

/** Sessions of ours, one to each server that is asked for: calls share them. */
export class Sessions implements AsyncDisposable {
  readonly #sessions = new Map<string, Session>();

  /** The session to the server that the request is for. */
  to({ host, port, serverTlsCert }: ClientCompatRequest): Session {
    const address = `${host}:${port}`;
    const ca = new TextDecoder().decode(serverTlsCert);
    const session = this.#sessions.get(address) ?? defaultEngine.connect(address, ca === "" ? {} : { tls: { ca } });
    this.#sessions.set(address, session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) await session[Symbol.asyncDispose]();
  }
}

/** The transport that the request asks for: ours for gRPC, else Connect's, over our session. */
export function transportFor(request: ClientCompatRequest, session: Session): Transport {
  const maxResponseBytes = request.messageReceiveLimit || maxMessageBytes;
  const sendCompression = compressionFor(request.compression);
  switch (request.protocol) {
    case Protocol.GRPC:
      return grpcTransport(session, { maxResponseBytes, ...(sendCompression && { sendCompression }) });
    case Protocol.GRPC_WEB:
      return createGrpcWeb(optionsFor(request, session, sendCompression, maxResponseBytes));
    case Protocol.CONNECT:
      return createConnect({
        ...optionsFor(request, session, sendCompression, maxResponseBytes),
        useHttpGet: request.useGetHttpMethod,
      });
    default:
      throw new Error(`no transport for protocol ${request.protocol}`);
  }
}

function compressionFor(encoding: Encoding): Compression | undefined {
  if (encoding === Encoding.IDENTITY || encoding === Encoding.UNSPECIFIED) return undefined;
  const found = compressions.find(({ name }) => name === encodings[encoding]);
  if (found === undefined) throw new Error(`nothing compresses with encoding ${encoding}`);
  return found;
}

function optionsFor(
  { codec }: ClientCompatRequest,
  session: Session,
  sendCompression: Compression | undefined,
  readMaxBytes: number,
): CommonTransportOptions {
  return {
    httpClient: session.request,
    baseUrl: session.origin,
    useBinaryFormat: codec === Codec.PROTO,
    jsonOptions: { registry },
    interceptors: [],
    acceptCompression: [...compressions],
    sendCompression: sendCompression ?? null,
    compressMinBytes: -1, // an empty message too, which 0 would spare
    readMaxBytes,
    writeMaxBytes: maxMessageBytes,
  };
}
