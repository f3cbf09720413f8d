import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Session } from "./engine.ts";
import { callTransport } from "./grpc/call-transport.ts";
import { endingInTime } from "./grpc/in-time.ts";

/** What a gRPC transport may differ in. */
export interface GrpcTransportOptions {
  readonly interceptors?: readonly Interceptor[];
}

/** A Connect transport that speaks gRPC over one session. It sends each call once. */
export function grpcTransport(session: Session, { interceptors = [] }: GrpcTransportOptions = {}): Transport {
  return callTransport({ perform: endingInTime(session.send, session.clock), interceptors, baseUrl: session.origin });
}
