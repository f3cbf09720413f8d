import type { UniversalClientFn, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Rpcs, Send, SendOptions } from "./grpc/rpc.ts";
import type { KeepaliveTimes } from "./keepalive.ts";

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
  /**
   * What gRPC calls may be answered by directly, by path, asked for each call anew; `handler` answers them too, and has to
   * say the same.
   */
  readonly rpcs?: Rpcs;
  /** What the deadlines of `rpcs` go by; by default the engine's. */
  readonly clock?: Clock;
  /** PEM texts. With them the port speaks TLS only, and ALPN chooses the version. */
  readonly tls?: ServerTls;
  /** Age at which a peer is asked to go over to another connection, in milliseconds, ± 10 %. Default 10 min. */
  readonly maxAgeMs?: number;
  /** Time in which what it carries by then has to end, in milliseconds. Default 30 s. */
  readonly ageGraceMs?: number;
  /** Time for which the own engine keeps a connection that carries nothing, in milliseconds. Default 5 min. */
  readonly idleMs?: number;
  /** Time in which the head of an HTTP/1.1 request has to arrive, in milliseconds. Default 10 s. */
  readonly headMs?: number;
  /** The same for all of the request, its body included. Default 60 s. */
  readonly requestMs?: number;
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
   * Proves itself by another pair from now on: to connections that open, while those that are open go on as they are.
   * Throws, and changes nothing, if the pair cannot be used, or the port speaks no TLS.
   */
  setTls(tls: ServerTls): void;
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
export interface SessionOptions extends SendOptions, KeepaliveTimes {
  readonly tls?: SessionTls;
  /** Time a connection may take to open, in milliseconds. Default 2 s. */
  readonly connectTimeoutMs?: number;
  /**
   * Connections there may be at once, of the own engine: a further one opens when every one has as many streams as its
   * peer allows. Default 4.
   */
  readonly maxConnections?: number;
  /** Age at which a connection is replaced, in milliseconds, ± 10 % by the dice; `Infinity` for never. Default 10 min. */
  readonly maxAgeMs?: number;
  /** Time for which a connection is kept that carries nothing. Default 4.5 min: before servers lose patience, at 5 min. */
  readonly idleMs?: number;
  /** The same for one that is not the only one, in milliseconds. Default 30 s. */
  readonly surplusIdleMs?: number;
  /** How long an endpoint is left alone after a connection to it has failed, in milliseconds. Default 100. */
  readonly backoffMinMs?: number;
  /** What that grows to, failure by failure, in milliseconds. Default 2 min. */
  readonly backoffMaxMs?: number;
}

/**
 * How things stand with an endpoint. `ready`: there is a connection that takes requests. `connecting`: one is on its way.
 * `backoff`: the last try failed, and the next one had better wait. `idle`: nobody has asked for one since.
 */
export type SessionState = "idle" | "connecting" | "ready" | "backoff";

/** The HTTP/2 connections to an endpoint, opened whenever they are needed and not there. */
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
  /**
   * How things stand with its endpoint. In `backoff` a request is refused at once, with the reason CONNECT_BACKOFF and
   * nothing sent, for the first second; later it is one more try: who asks then has nowhere else to go.
   */
  readonly state: SessionState;
  /** Calls `listener` after each change of `state`, maybe from within `send`, until the returned function is called. */
  onChange(listener: (state: SessionState) => void): () => void;
  /** Closes its connections as soon as what they carry has ended; resolves then. */
  retire(): Promise<void>;
}
