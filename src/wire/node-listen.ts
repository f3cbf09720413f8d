import { createServer as createHttp1, type Server as Http1Server } from "node:http";
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerOptions,
} from "node:http2";
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from "node:net";
import { systemClock } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import type { Listener, ListenOptions } from "./engine.ts";
import { type NodeHandler, nodeHandler } from "./node-handler.ts";
import { sniff } from "./sniff.ts";

/** Streams that one connection may have open at once. */
const maxConcurrentStreams = 1_000;

/** Clients that keep a connection open longer than their own pause between requests should not lose the race. */
const keepAliveTimeoutMs = 65_000;

/** Time that peers have to close their connections themselves, having read all that was sent to them. */
const lingerMs = 1_000;

/** A client that sends its HTTP/1.1 head by the byte is cut off after 10 s, its body after a minute. */
const slowness = { headersTimeout: 10_000, requestTimeout: 60_000, connectionsCheckingInterval: 2_000 };

/** Opens a port for HTTP/1.1 and HTTP/2: by the client's first bytes, or by ALPN when there is TLS. */
export async function listen({ host, port, handler, tls }: ListenOptions): Promise<Listener> {
  const inFlight = new Watchable(0);
  const onRequest = nodeHandler(handler, inFlight);
  const settings: ServerOptions = { settings: { maxConcurrentStreams, initialWindowSize: 1024 * 1024 } };
  const doors = tls ? secureDoors(settings, tls, onRequest) : plainDoors(settings, onRequest);
  await opened(doors.tcp, host, port);
  return new NodeListener(doors, inFlight, onRequest);
}

/** The servers behind one port. */
interface Doors {
  readonly tcp: TcpServer;
  readonly http1: Http1Server | undefined;
  readonly http2: Http2Server;
}

function plainDoors(settings: ServerOptions, onRequest: NodeHandler): Doors {
  const http1 = createHttp1({ keepAliveTimeout: keepAliveTimeoutMs, ...slowness }, onRequest.handle);
  http1.emit("listening"); // it never listens itself, and only then looks after connections that are slow
  const http2 = createHttp2(settings, onRequest.handle);
  const tcp = createTcp({ noDelay: true }, (socket: Socket) =>
    sniff(socket, (version) => (version === 2 ? http2 : http1).emit("connection", socket)),
  );
  return { tcp, http1, http2 };
}

function secureDoors(settings: ServerOptions, tls: { key: string; cert: string }, onRequest: NodeHandler): Doors {
  const http2 = createSecureServer({ ...settings, ...tls, allowHTTP1: true }, onRequest.handle);
  return { tcp: http2, http1: undefined, http2 };
}

function opened(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

/** Says what to do about the errors that people meet. */
function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: "somebody else listens there: stop it, or choose another port",
    EACCES: "this user may not: choose a port above 1023",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "no such host",
  };
  const why = advice[error.code ?? ""] ?? error.message;
  return Object.assign(new Error(`cannot listen on ${host}:${port}: ${why}`, { cause: error }), { code: error.code });
}

class NodeListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #doors: Doors;
  readonly #inFlight: Watchable<number>;
  readonly #handler: NodeHandler;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  #drained: Promise<number> | undefined;

  constructor(doors: Doors, inFlight: Watchable<number>, handler: NodeHandler) {
    const { address, port } = doors.tcp.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.#doors = doors;
    this.#inFlight = inFlight;
    this.#handler = handler;
    doors.tcp.on("connection", (socket) => keep(this.#sockets, socket));
    doors.http2.on("session", (session) => {
      keep(this.#sessions, session);
      session.on("error", () => {}); // the peer's connection broke; each of its streams has been told
      if (this.#drained !== undefined) goAway(session);
    });
  }

  get inFlight(): number {
    return this.#inFlight.value;
  }

  drain(graceMs: number): Promise<number> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #drain(graceMs: number): Promise<number> {
    const closed = new Promise<void>((resolve) => this.#doors.tcp.close(() => resolve()));
    this.#handler.closeConnections();
    for (const session of this.#sessions) goAway(session);
    this.#doors.http1?.closeIdleConnections();
    const cutOff = await this.#settled(graceMs);
    this.#doors.http1?.closeIdleConnections();
    if (graceMs > 0) await this.#left(closed);
    for (const session of this.#sessions) session.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cutOff;
  }

  /**
   * Waits until the peers have closed their connections, for a while: GOAWAY asks them to. To close one from here while
   * they still send would reset it, and what they have not read by then is lost: answers, and the GOAWAY itself.
   */
  async #left(closed: Promise<void>): Promise<void> {
    const late = new AbortController();
    await Promise.race([closed, systemClock.sleep(lingerMs, late.signal).catch(() => {})]); // aborted below
    late.abort();
  }

  /** Waits until nothing is in flight, for at most `graceMs`; answers how many requests still are. */
  async #settled(graceMs: number): Promise<number> {
    if (this.inFlight === 0 || graceMs <= 0) return this.inFlight;
    const grace = new AbortController();
    const timer = systemClock.setTimer(graceMs, () => grace.abort(), true);
    await this.#inFlight.until((count) => count === 0, grace.signal).catch(() => {}); // the grace period is over
    timer.cancel();
    return this.inFlight;
  }
}

/** Tells the peer to begin nothing more here. A session whose socket has gone cannot be told, and need not be. */
function goAway(session: ServerHttp2Session): void {
  if (!session.destroyed && !session.closed) session.goaway();
}

function keep<T extends { once(event: "close", listener: () => void): unknown }>(set: Set<T>, item: T): void {
  set.add(item);
  item.once("close", () => set.delete(item));
}
