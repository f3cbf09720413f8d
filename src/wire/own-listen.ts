import { createServer as createHttp1, type Server as Http1Server } from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from "node:net";
import { createServer as createTls, type TLSSocket } from "node:tls";
import { systemClock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { Watchable } from "../base/watch.ts";
import type { Listener, ListenOptions } from "./engine.ts";
import { http1Handler } from "./http1-handler.ts";
import { closedByPeers, hangUpOnStrangers, opened, secure, settled, slowness } from "./listening.ts";
import type { NodeHandler } from "./node-handler.ts";
import { Serving } from "./own-serving.ts";
import { Servings } from "./own-servings.ts";
import { sniff } from "./sniff.ts";

/** Opens a port for HTTP/1.1, which `node:http` speaks, and HTTP/2, which we do: by the first bytes, or by ALPN. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, handler, rpcs, tls, log, clock = systemClock } = options;
  const inFlight = new Watchable(0);
  const scheme = tls ? "https" : "http";
  const onHttp1 = http1Handler(handler, scheme, inFlight);
  const http1 = createHttp1(slowness, onHttp1.handle);
  hangUpOnStrangers(http1);
  http1.emit("listening"); // it never listens itself, and only then looks after connections that are slow
  const servings = new Servings();
  const deadlines = new Deadlines(clock);
  const shared = {
    handler,
    inFlight,
    scheme,
    ...(rpcs && { calls: { rpcs, clock, deadlines } }),
    ...(log && { log }),
  } as const;
  const onSocket = (socket: Socket, version: 1 | 2) => {
    if (version === 1) return void http1.emit("connection", socket);
    servings.add(new Serving(socket, shared));
  };
  const tcp = tls
    ? createTls({ ...secure(tls), ALPNProtocols: ["h2", "http/1.1"], noDelay: true }, (socket: TLSSocket) =>
        onSocket(socket, socket.alpnProtocol === "h2" ? 2 : 1),
      )
    : createTcp({ noDelay: true }, (socket) => sniff(socket, (version) => onSocket(socket, version)));
  await opened(tcp, host, port);
  return new OwnListener({ tcp, http1, onHttp1, servings, deadlines, inFlight });
}

interface Parts {
  readonly tcp: TcpServer;
  readonly http1: Http1Server;
  readonly onHttp1: NodeHandler;
  readonly servings: Servings;
  readonly deadlines: Deadlines;
  readonly inFlight: Watchable<number>;
}

class OwnListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #parts: Parts;
  readonly #sockets = new Set<Socket>();
  #drained: Promise<number> | undefined;

  constructor(parts: Parts) {
    const { address, port } = parts.tcp.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.#parts = parts;
    parts.tcp.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get inFlight(): number {
    return this.#parts.inFlight.value;
  }

  drain(graceMs: number): Promise<number> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #drain(graceMs: number): Promise<number> {
    const { tcp, http1, onHttp1, servings, deadlines, inFlight } = this.#parts;
    const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
    onHttp1.closeConnections();
    http1.closeIdleConnections();
    const endsAt = systemClock.now() + graceMs;
    await servings.leave(graceMs);
    const cutOff = await settled(inFlight, endsAt - systemClock.now());
    http1.close(); // what is idle, and the timer by which it looks after those that are slow
    servings.close();
    if (graceMs > 0) await closedByPeers(closed);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    deadlines[Symbol.dispose]();
    return cutOff;
  }
}
