import type { UniversalClientFn, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Rpcs, Send, SendOptions } from "./grpc/rpc.ts";

/** Answers one HTTP request, whatever version it came by. It does not reject: what goes wrong is an answer too. */
export type HttpHandler = (request: UniversalServerRequest) => Promise<UniversalServerResponse>;

/** What the floors above need of sockets. One engine may replace another without their knowing. */
export interface Engine {
  /** Opens a port that speaks HTTP/1.1 and HTTP/2. Rejects with the system's error: EADDRINUSE, EACCES. */
  listen(options: ListenOptions): Promise<Listener>;
  /** A session to one endpoint; it connects when it is first asked for something. */
  connect(address: string, options?: SessionOptions): Session;
}

/** Where to listen, and for whom. */
export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly handler: HttpHandler;
  /** What gRPC calls may be answered by directly, by path; `handler` answers them too, and has to say the same. */
  readonly rpcs?: Rpcs;
  /** What the deadlines of `rpcs` go by; by default the engine's. */
  readonly clock?: Clock;
  /** PEM texts. With them the port speaks TLS only, and ALPN chooses the version. */
  readonly tls?: ServerTls;
  /** Is told of peers that break the protocol or pass a limit, and which. By default nobody is. */
  readonly log?: Logger;
}

/** What a port proves itself with, in PEM. */
export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  /** Who connects has to show a certificate of this authority ("mutual TLS"). By default nobody has to show any. */
  readonly clientCa?: string;
}

/** An open port. */
export interface Listener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Requests being answered. */
  readonly inFlight: number;
  /**
   * Finishes what has begun and begins nothing: closes the port, sends GOAWAY, waits up to `graceMs` for what runs,
   * then closes every connection. Resolves with how many requests were cut off.
   */
  drain(graceMs: number): Promise<number>;
}

/** How an endpoint is to prove itself, and we to it, in PEM. */
export interface SessionTls {
  /** The authority that its certificate is to be of. By default those that Node knows. */
  readonly ca?: string;
  /** The name that its certificate is to have. By default its host. */
  readonly serverName?: string;
  /** What we prove ourselves with to one that asks. */
  readonly key?: string;
  readonly cert?: string;
}

/** How to reach an endpoint. */
export interface SessionOptions extends SendOptions {
  readonly tls?: SessionTls;
  /** Time a connection may take to open, in milliseconds. Default 2 s. */
  readonly connectTimeoutMs?: number;
}

/** One HTTP/2 connection to an endpoint, opened again whenever it is needed and gone. */
export interface Session extends AsyncDisposable {
  /** "host:port". */
  readonly address: string;
  /** "http://host:port": what request URLs begin with. */
  readonly origin: string;
  /** What its time is told by. */
  readonly clock: Clock;
  /** Sends a request. Errors are ConnectErrors that know their progress. */
  readonly request: UniversalClientFn;
  /** Sends one attempt of a gRPC call. */
  readonly send: Send;
  /** Closes the connection as soon as what it carries has ended; resolves then. */
  retire(): Promise<void>;
}
