import type { Server as TcpServer } from "node:net";
import { type AddressInfo, connect as connectTcp, createServer as createTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, createServer as createTls, type TLSSocket } from "node:tls";
import { type Clock, systemClock } from "../base/clock.ts";
import type { ServerTls, SessionTls } from "./engine.ts";
import { opened, renew, secure } from "./listening.ts";
import type { Door, DoorOptions, Network, Visitors } from "./network.ts";
import { sniff } from "./sniff.ts";

/** The machine's network. The clock says when a connection on which nobody speaks is closed. */
export function socketNetwork(clock: Clock = systemClock): Network {
  return {
    connect: socketTo,
    soon: setImmediate,
    async listen(options, visitors) {
      const tcp = serverOf(options, { visitors, clock });
      const door = new SocketDoor(tcp);
      await opened(tcp, options.host, options.port);
      return door;
    },
  };
}

/** A host's name is told to the server. */
function socketTo(address: string, tls?: SessionTls): Socket {
  const { hostname, port } = new URL(`tcp://${address}`); // of a scheme without a port of its own, which would get lost
  const host = hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(port || (tls ? 443 : 80)), noDelay: true };
  if (tls === undefined) return connectTcp(to);
  const { serverName = isIP(host) ? undefined : host, ...proof } = tls;
  return connectTls({ ...to, ...proof, ALPNProtocols: ["h2"], ...(serverName && { servername: serverName }) });
}

/** The version of HTTP is told by the first bytes, or by ALPN where there is TLS. */
function serverOf({ tls }: DoorOptions, { visitors, clock }: { visitors: Visitors; clock: Clock }): TcpServer {
  const take = (socket: Socket, version: 1 | 2) => (version === 2 ? visitors.http2(socket) : visitors.http1(socket));
  if (tls === undefined) {
    return createTcp({ noDelay: true }, (socket) => sniff(socket, clock, (version) => take(socket, version)));
  }
  return createTls({ ...secure(tls), ALPNProtocols: ["h2", "http/1.1"], noDelay: true }, (socket: TLSSocket) =>
    take(socket, socket.alpnProtocol === "h2" ? 2 : 1),
  );
}

class SocketDoor implements Door {
  readonly #tcp: TcpServer;
  readonly #sockets = new Set<Socket>();

  constructor(tcp: TcpServer) {
    this.#tcp = tcp;
    tcp.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get host(): string {
    return (this.#tcp.address() as AddressInfo).address;
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  setTls(tls: ServerTls): void {
    renew(this.#tcp, tls);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#tcp.close(() => resolve()));
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
