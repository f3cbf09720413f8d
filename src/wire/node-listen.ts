import { createServer as createHttp1, type Server as Http1Server } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session, type ServerOptions } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from "node:net";
import { createServer as createTls } from "node:tls";
import { systemClock } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import type { Listener, ListenOptions, ServerTls } from "./engine.ts";
import { refuseStrangers } from "./http1-strangers.ts";
import { closedByPeers, opened, renew, secure, settled, slowness } from "./listening.ts";
import { limitAge } from "./node-age.ts";
import { type NodeHandler, nodeHandler } from "./node-handler.ts";
import { sniff } from "./sniff.ts";
import { Http1Request, WebSockets } from "./websocket.ts";

/** Streams that one connection may have open at once. */
const maxConcurrentStreams = 1_000;

/** Opens a port for HTTP/1.1 and HTTP/2: by the client's first bytes, or by ALPN when there is TLS. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, handler, tls, clock = systemClock } = options;
  const inFlight = new Watchable(0);
  const webSockets = new WebSockets({ handler, scheme: tls ? "https" : "http", inFlight, clock });
  const onRequest = nodeHandler(handler, inFlight);
  const settings: ServerOptions = { settings: { maxConcurrentStreams, initialWindowSize: 1024 * 1024 } };
  const doors = doorsOf(settings, onRequest, options);
  doors.http1.on("upgrade", webSockets.upgrade);
  doors.http2.on("session", (session) => limitAge(session, options));
  await opened(doors.tcp, host, port);
  return new NodeListener({ ...doors, webSockets }, inFlight, onRequest);
}

/** The servers behind one port. */
interface Doors {
  readonly tcp: TcpServer;
  readonly http1: Http1Server;
  readonly http2: Http2Server;
}

interface OpenDoors extends Doors {
  readonly webSockets: WebSockets;
}

function doorsOf(settings: ServerOptions, onRequest: NodeHandler, options: ListenOptions): Doors {
  const { tls } = options;
  const http1 = createHttp1({ ...slowness(options), IncomingMessage: Http1Request }, onRequest.handle);
  refuseStrangers(http1, options);
  http1.emit("listening"); // it never listens itself, and only then looks after connections that are slow
  const http2 = createHttp2(settings, onRequest.handle);
  http2.on("connect", onRequest.handle); // a tunnel: it has no URL, and is told so
  const take = (socket: Socket, version: 1 | 2) => (version === 2 ? http2 : http1).emit("connection", socket);
  const tcp =
    tls === undefined
      ? createTcp({ noDelay: true }, (socket) => sniff(socket, systemClock, (version) => take(socket, version)))
      : createTls({ ...secure(tls), ALPNProtocols: ["h2", "http/1.1"], noDelay: true }, (socket) =>
          take(socket, socket.alpnProtocol === "h2" ? 2 : 1),
        );
  return { tcp, http1, http2 };
}

class NodeListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #doors: OpenDoors;
  readonly #inFlight: Watchable<number>;
  readonly #handler: NodeHandler;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  #drained: Promise<number> | undefined;

  constructor(doors: OpenDoors, inFlight: Watchable<number>, handler: NodeHandler) {
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

  setTls(tls: ServerTls): void {
    renew(this.#doors.tcp, tls);
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
    this.#doors.webSockets.leave();
    for (const session of this.#sessions) goAway(session);
    this.#doors.http1.closeIdleConnections();
    const cutOff = await settled(this.#inFlight, graceMs, systemClock);
    this.#doors.webSockets.close();
    this.#doors.http1.close(); // what is idle, and the timer by which it looks after those that are slow
    if (graceMs > 0) await closedByPeers(closed, systemClock);
    for (const session of this.#sessions) session.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cutOff;
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
