import type { Transport } from "@connectrpc/connect";
import type { CommonTransportOptions } from "@connectrpc/connect/protocol";
import { createTransport as createConnect } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import { contractRegistry } from "../../rest/registry.ts";
import type { Session } from "../../wire/engine.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { compressions } from "../../wire/grpc/compressions.ts";
import { compressionNamed, maxMessageBytes } from "../../wire/grpc/messages.ts";
import { grpcTransport } from "../../wire/grpc.ts";
import type { ClientCompatRequest } from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { Codec, Compression as Encoding, Protocol } from "./gen/connectrpc/conformance/v1/config_pb.ts";
import { ConformanceService } from "./gen/connectrpc/conformance/v1/service_pb.ts";

const encodings: Readonly<Partial<Record<Encoding, string>>> = {
  [Encoding.IDENTITY]: "identity",
  [Encoding.GZIP]: "gzip",
  [Encoding.BR]: "br",
  [Encoding.ZSTD]: "zstd",
};
const registry = contractRegistry([ConformanceService]);

/** Sessions of ours, one to each server that is asked for, by what they send and take: calls share them. */
export class Sessions implements AsyncDisposable {
  readonly #sessions = new Map<string, Session>();

  /** The session that the request needs. */
  to({ host, port, serverTlsCert, compression: encoding, messageReceiveLimit }: ClientCompatRequest): Session {
    const compression = encodings[encoding] ?? "identity";
    const key = `${host}:${port} ${compression} ${messageReceiveLimit}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const made = defaultEngine.connect(`${host}:${port}`, {
      ...(serverTlsCert.length > 0 && { tls: { ca: new TextDecoder().decode(serverTlsCert) } }),
      ...(compression !== "identity" && { compression }),
      ...(messageReceiveLimit > 0 && { maxMessageBytes: messageReceiveLimit }),
    });
    this.#sessions.set(key, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) await session[Symbol.asyncDispose]();
  }
}

/** The transport that the request asks for: ours for gRPC, else Connect's, over our session. */
export function transportFor(request: ClientCompatRequest, session: Session): Transport {
  switch (request.protocol) {
    case Protocol.GRPC:
      return grpcTransport(session);
    case Protocol.GRPC_WEB:
      return createGrpcWeb(optionsFor(request, session));
    case Protocol.CONNECT:
      return createConnect({ ...optionsFor(request, session), useHttpGet: request.useGetHttpMethod });
    default:
      throw new Error(`no transport for protocol ${request.protocol}`);
  }
}

function optionsFor(
  { codec, compression, messageReceiveLimit }: ClientCompatRequest,
  session: Session,
): CommonTransportOptions {
  return {
    httpClient: session.request,
    baseUrl: session.origin,
    useBinaryFormat: codec === Codec.PROTO,
    jsonOptions: { registry },
    interceptors: [],
    acceptCompression: [...compressions],
    sendCompression: compressionNamed(encodings[compression]) ?? null,
    compressMinBytes: -1, // an empty message too, which 0 would spare
    readMaxBytes: messageReceiveLimit || maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  };
}
