import type { Socket } from "node:net";
import type { ServerTls, SessionTls } from "./engine.ts";

/** What a socket tells, and with what. */
export interface WireSocketEvents {
  readonly data: [bytes: Buffer];
  readonly error: [error: Error];
  /** What was written before has left. */
  readonly drain: [];
  /** The peer sends nothing more. */
  readonly end: [];
  readonly close: [];
}

/**
 * What our HTTP/2 needs of a socket. Those of `node:net` and `node:tls` have it, and one in memory can have it in few
 * lines. Bytes that are written must not change until they have left; `data` is told in a turn of its own, never from
 * within `write`.
 */
export interface WireSocket {
  readonly connecting: boolean;
  readonly destroyed: boolean;
  readonly writable: boolean;
  /** Bytes that were written and have not left. */
  readonly writableLength: number;
  readonly remoteAddress?: string | undefined;
  on<E extends keyof WireSocketEvents>(event: E, listener: (...told: WireSocketEvents[E]) => void): unknown;
  once<E extends keyof WireSocketEvents>(event: E, listener: (...told: WireSocketEvents[E]) => void): unknown;
  /** False when whoever writes should wait for `drain`. */
  write(bytes: Buffer): boolean;
  /** Sends nothing more, once what was written has left. */
  end(): unknown;
  /** Closes at once. */
  destroy(): unknown;
  /** Keeps what is written, until `uncork`, to send it together. */
  cork(): void;
  uncork(): void;
  /** Lets `data` be told, if something stopped it. */
  resume(): unknown;
  /** It keeps the process alive, or does not. */
  ref(): unknown;
  unref(): unknown;
}

/** Who is given the connections of a port, each by the version of HTTP that its peer speaks. */
export interface Visitors {
  http2(socket: WireSocket): void;
  /** HTTP/1.1 is spoken by `node:http`, which takes no other sockets; a network in memory has none of it. */
  http1(socket: Socket): void;
}

/** Where to open a port. */
export interface DoorOptions {
  readonly host: string;
  /** 0 lets the network choose. */
  readonly port: number;
  readonly tls?: ServerTls;
}

/** An open port. */
export interface Door {
  readonly host: string;
  readonly port: number;
  /** Proves itself by another pair to connections that open from now on. Throws if it cannot. */
  setTls(tls: ServerTls): void;
  /** Takes no more connections; resolves when the last one has closed. */
  close(): Promise<void>;
  /** Closes every connection at once, those included that have told nobody their version yet. */
  destroyAll(): void;
}

/** Where connections come from and go to: sockets, or a network in memory on which a test can be the weather. */
export interface Network {
  /** A socket on its way to "host:port", over TLS if there are options for it. What goes wrong it tells by `error`. */
  connect(address: string, tls?: SessionTls): WireSocket;
  /**
   * Does something when all sockets that have news have told it. What is called on behalf of many connections, as a
   * gateway's upstream is, leaves in one write then and not in one a connection. By default there is one socket with news.
   */
  readonly soon?: (task: () => void) => void;
  /** Opens a port. Rejects with an error whose `code` is the system's: EADDRINUSE, EACCES. */
  listen(options: DoorOptions, visitors: Visitors): Promise<Door>;
}
