import { AsyncLocalStorage } from "node:async_hooks";
import type { Door, DoorOptions, Network, Visitors, WireSocket } from "../../wire/network.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Dice } from "./dice.ts";
import { Flow } from "./flow.ts";
import { fixed } from "./latency.ts";
import { OpenStreams } from "./open-streams.ts";
import { Host, Path, type PathOptions } from "./path.ts";
import type { Process } from "./process.ts";
import { VirtualSocket } from "./socket.ts";
import type { Timeline } from "./timeline.ts";

/** What a network is made of. */
export interface NetworkOptions {
  readonly timeline: Timeline;
  readonly chronicle: Chronicle;
  readonly dice: Dice;
  /** How every path fares that nobody says otherwise of. */
  readonly path: PathOptions;
  /** Bytes that a connection holds each way before its writer has to wait. */
  readonly windowBytes: number;
}

/** A connection: who opened it, and what it carries. */
interface Line {
  readonly client: VirtualSocket;
  readonly streams: OpenStreams;
}

/** A connection request that nobody answers is sent again after these spans, and given up after the last. */
const synAgainMs = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000];

/** The first port that is given to who does not ask for one. */
const firstFreePort = 40_000;

/** What a machine keeps to itself takes no time to speak of. */
const loopback: PathOptions = { latency: fixed(0.02) };

/** Hosts, the paths between them, and the connections along these. */
export class VirtualNetwork {
  readonly #options: NetworkOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #paths = new Map<string, Path>();
  readonly #doors = new Map<string, VirtualDoor>();
  readonly #sockets = new Set<VirtualSocket>();
  /** What each socket's connection carries. */
  readonly #lines = new WeakMap<VirtualSocket, Line>();
  /** Those that have lost something. */
  readonly #lossy = new Set<Flow>();
  #nextPort = firstFreePort;
  #connections = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Connections that were opened. */
  get connections(): number {
    return this.#connections;
  }

  /** The sockets that a process has open. */
  socketsOf(process: Process): VirtualSocket[] {
    return [...this.#sockets].filter((socket) => socket.process === process);
  }

  /** Streams that a process has begun as a client, by host, and that have not ended; forgotten connections do not count. */
  openStreamsOf(process: Process): ReadonlyMap<string, number> {
    const open = new Map<string, number>();
    for (const socket of this.socketsOf(process)) {
      const line = this.#lines.get(socket);
      if (line?.client !== socket || line.streams.size === 0 || socket.out?.isSevered) continue;
      open.set(socket.remoteAddress, (open.get(socket.remoteAddress) ?? 0) + line.streams.size);
    }
    return open;
  }

  host(name: string): Host {
    const known = this.#hosts.get(name) ?? new Host(name);
    this.#hosts.set(name, known);
    return known;
  }

  /** The way from one host to another, and not the way back. */
  path(from: string, to: string): Path {
    const key = `${from} ${to}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const options = from === to ? loopback : this.#options.path;
    const made = new Path(this.host(from), this.host(to), options, this.#options.dice.fork(key));
    this.#paths.set(key, made);
    return made;
  }

  /** The network as a process on a host sees it. When the process ends, its ports and sockets close. */
  seenBy(process: Process, hostName: string): Network {
    const host = this.host(hostName);
    process.onEnd(() => this.#leave(process, host));
    return {
      connect: (address, tls) => this.#connect(process, host, address, tls),
      listen: async (options, visitors) => this.#listen(process, host, options, visitors),
    };
  }

  /** What was lost on its way is sent again, where a path is open again. */
  healed(): void {
    for (const flow of this.#lossy) {
      if (!flow.path.isOpen) continue;
      this.#lossy.delete(flow);
      flow.healed();
    }
  }

  /** Every connection between the two is cut, and both ends told; `*` is every host. */
  reset(a: string, b: string): void {
    for (const socket of this.#between(a, b)) socket.failed("ECONNRESET", "read ECONNRESET");
  }

  /** Every connection between the two goes on without carrying anything, and nobody is told. */
  sever(a: string, b: string): void {
    for (const socket of this.#between(a, b)) socket.out?.sever();
  }

  #between(a: string, b: string): VirtualSocket[] {
    const matches = (path: Path, from: string, to: string) =>
      (from === "*" || path.from.name === from) && (to === "*" || path.to.name === to);
    return [...this.#sockets].filter(({ out }) => out && (matches(out.path, a, b) || matches(out.path, b, a)));
  }

  #leave(process: Process, host: Host): void {
    for (const socket of this.socketsOf(process)) {
      if (host.isUp) socket.abandon();
      else socket.vanish();
      this.#sockets.delete(socket);
    }
    for (const [address, door] of this.#doors) if (door.process === process) this.#doors.delete(address);
  }

  async #listen(process: Process, host: Host, options: DoorOptions, visitors: Visitors): Promise<Door> {
    if (options.tls !== undefined) throw new Error("the simulated network carries no TLS");
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    const address = `${host.name}:${port}`;
    if (this.#doors.has(address)) {
      throw Object.assign(new Error(`listen EADDRINUSE: address already in use ${address}`), { code: "EADDRINUSE" });
    }
    const door = new VirtualDoor(process, { host: host.name, port }, visitors, () => this.#doors.delete(address));
    this.#doors.set(address, door);
    return door;
  }

  #connect(process: Process, host: Host, address: string, tls: unknown): WireSocket {
    if (tls !== undefined) throw new Error("the simulated network carries no TLS");
    const { hostname } = new URL(`tcp://${address}`);
    const socket = this.#socket(process, hostname);
    const { timeline } = this.#options;
    if (this.#hosts.has(hostname))
      this.#knock(socket, address, [this.path(host.name, hostname), this.path(hostname, host.name)], 0);
    else timeline.call(timeline.now + 1, () => socket.failed("ENOTFOUND", `getaddrinfo ENOTFOUND ${hostname}`));
    return socket;
  }

  /** Sends a connection request; one that finds a path cut is sent again after a while. */
  #knock(socket: VirtualSocket, address: string, [there, back]: readonly [Path, Path], times: number): void {
    const { timeline } = this.#options;
    const sentAt = timeline.now;
    const again = () => {
      const waitMs = synAgainMs[times];
      if (socket.destroyed) return;
      if (waitMs === undefined) return socket.failed("ETIMEDOUT", `connect ETIMEDOUT ${address}`);
      timeline.call(sentAt + waitMs, () => socket.destroyed || this.#knock(socket, address, [there, back], times + 1));
    };
    const answered = (door: VirtualDoor | undefined) => {
      if (!back.isOpen) return again();
      if (socket.destroyed || socket.process.isEnded) return;
      if (door === undefined || door.process.isEnded)
        return socket.failed("ECONNREFUSED", `connect ECONNREFUSED ${address}`);
      this.#join(socket, door, [there, back]);
    };
    timeline.call(sentAt + there.delayMs(), () => {
      if (socket.destroyed) return;
      if (!there.isOpen) return again();
      const door = this.#doors.get(address);
      timeline.call(timeline.now + back.delayMs(), () => answered(door));
    });
  }

  #join(client: VirtualSocket, door: VirtualDoor, [there, back]: readonly [Path, Path]): void {
    const { timeline, chronicle } = this.#options;
    const server = door.accept(() => this.#socket(door.process, there.from.name));
    const onLoss = (flow: Flow) => void this.#lossy.add(flow);
    const toServer = new Flow({ timeline, onLoss, path: there, arrive: (segment) => server.arrive(segment) });
    const toClient = new Flow({ timeline, onLoss, path: back, arrive: (segment) => client.arrive(segment) });
    this.#connections++;
    chronicle.tell(client.process.name, `connected to ${there.to.name}`);
    const line = { client, streams: new OpenStreams() };
    this.#lines.set(client, line);
    this.#lines.set(server, line);
    server.opened(client, toClient);
    client.opened(server, toServer);
  }

  #socket(process: Process, remoteAddress: string): VirtualSocket {
    const { timeline, chronicle, windowBytes } = this.#options;
    const onRead = (socket: VirtualSocket, bytes: Buffer) => {
      chronicle.mixBytes(bytes);
      const { streams, client } = this.#lines.get(socket) ?? {};
      streams?.sent(socket === client ? "server" : "client", bytes);
    };
    const onGone = (gone: VirtualSocket) => this.#gone(gone);
    const made = new VirtualSocket(remoteAddress, { process, timeline, windowBytes, onRead, onGone });
    this.#sockets.add(made);
    return made;
  }

  #gone(socket: VirtualSocket): void {
    this.#sockets.delete(socket);
    if (socket.out !== undefined) this.#options.chronicle.tell(socket.process.name, `lost ${socket.remoteAddress}`);
  }
}

/** An open port. Whoever speaks there is handed on, as on a real port, once its first bytes are here. */
class VirtualDoor implements Door {
  readonly process: Process;
  readonly host: string;
  readonly port: number;
  readonly #visitors: Visitors;
  readonly #shut: () => void;
  readonly #inContext = AsyncLocalStorage.snapshot();
  readonly #open = new Set<VirtualSocket>();
  readonly #closed = Promise.withResolvers<void>();
  #isShut = false;

  constructor(
    process: Process,
    at: { readonly host: string; readonly port: number },
    visitors: Visitors,
    shut: () => void,
  ) {
    this.process = process;
    this.host = at.host;
    this.port = at.port;
    this.#visitors = visitors;
    this.#shut = shut;
  }

  accept(make: () => VirtualSocket): VirtualSocket {
    return this.#inContext(() => {
      const socket = make();
      this.#open.add(socket);
      socket.once("close", () => {
        this.#open.delete(socket);
        this.#closeIfDone();
      });
      socket.on("error", () => {}); // it may be cut off before anybody else listens
      socket.once("data", (first) => {
        this.#visitors.http2(socket);
        socket.emit("data", first);
      });
      return socket;
    });
  }

  setTls(): never {
    throw new Error("the simulated network carries no TLS");
  }

  close(): Promise<void> {
    this.#isShut = true;
    this.#shut();
    this.#closeIfDone();
    return this.#closed.promise;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #closeIfDone(): void {
    if (this.#isShut && this.#open.size === 0) this.#closed.resolve();
  }
}
