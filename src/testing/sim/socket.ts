import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import type { WireSocket, WireSocketEvents } from "../../wire/network.ts";
import type { Flow, Segment } from "./flow.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** Bytes a socket holds before `write` says that it is enough, and what one read brings at the most: as Node has it. */
const highWaterBytes = 64 * 1024;

/** What a socket lives in. */
export interface SocketParts {
  readonly process: Process;
  readonly timeline: Timeline;
  /** Bytes on their way or unread by the peer at the most. */
  readonly windowBytes: number;
  /** Told of bytes that were read. */
  readonly onRead: (socket: VirtualSocket, bytes: Buffer) => void;
  /** Told when it is no more. */
  readonly onGone: (socket: VirtualSocket) => void;
}

/** Where its connection is. One that is forgotten lost its machine, and nobody told its peer. */
type State =
  | { readonly name: "connecting" }
  | { readonly name: "open"; readonly peer: VirtualSocket; readonly out: Flow }
  | { readonly name: "closed" | "forgotten"; readonly out: Flow | undefined };

/** A socket of the virtual network: what the system holds for a process, and what Node tells the process of it. */
export class VirtualSocket extends EventEmitter<WireSocketEvents> implements WireSocket {
  readonly remoteAddress: string;
  readonly #parts: SocketParts;
  readonly #inContext = AsyncLocalStorage.snapshot();
  #state: State = { name: "connecting" };
  /** What has arrived and was not read. */
  #inbox: Segment[] = [];
  #isReadDue = false;
  /** What was written and has not left. */
  #outbox: Buffer[] = [];
  #outboxBytes = 0;
  /** On its way, or unread by the peer. */
  #unreadBytes = 0;
  #corks = 0;
  #needsDrain = false;
  /** Whether our side is to end, and has; and whether the peer's has. */
  #isEnding = false;
  #hasEnded = false;
  #peerHasEnded = false;
  #isDestroyed = false;

  constructor(remoteAddress: string, parts: SocketParts) {
    super();
    this.remoteAddress = remoteAddress;
    this.#parts = parts;
  }

  get process(): Process {
    return this.#parts.process;
  }

  get connecting(): boolean {
    return this.#state.name === "connecting" && !this.#isDestroyed;
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  get writable(): boolean {
    return !this.#isEnding && !this.#isDestroyed;
  }

  get writableLength(): number {
    return this.#outboxBytes;
  }

  /** The other end, while the connection is open. */
  get peer(): VirtualSocket | undefined {
    return this.#state.name === "open" ? this.#state.peer : undefined;
  }

  /** What carries to the peer. */
  get out(): Flow | undefined {
    return this.#state.name === "connecting" ? undefined : this.#state.out;
  }

  write(bytes: Buffer): boolean {
    if (!this.writable) return false;
    if (bytes.length > 0) this.#outbox.push(bytes);
    this.#outboxBytes += bytes.length;
    if (this.#corks === 0) this.#flush();
    this.#needsDrain ||= this.#outboxBytes >= highWaterBytes;
    return !this.#needsDrain;
  }

  end(): void {
    if (!this.writable) return;
    this.#isEnding = true;
    this.#flush();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.abandon();
    this.#gone();
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (this.#corks > 0 && --this.#corks === 0) this.#flush();
  }

  resume(): void {}
  ref(): void {}
  unref(): void {}

  // ---- what the network does to it ----

  /** The connection is there. */
  opened(peer: VirtualSocket, out: Flow): void {
    this.#state = { name: "open", peer, out };
    this.process.run(() => this.#flush());
  }

  /** It could not connect, or was cut off: the process is told the system's error. */
  failed(code: string, message: string): void {
    if (this.#state.name === "closed" || this.#state.name === "forgotten") return;
    this.#close("closed");
    const error = Object.assign(new Error(message), { code });
    this.process.run(() => this.#inContext(() => this.#gone(error)));
  }

  /** The system closes it, whatever its process has left unread; that, the peer hears as a reset. */
  abandon(): void {
    if (this.#state.name === "open") {
      if (this.#inbox.length > 0 && this.#inbox[0] !== "fin") this.#state.out.send("rst");
      else if (!this.#hasEnded) this.#state.out.send("fin");
      this.#hasEnded = true;
    }
    this.#close("closed");
  }

  /** Its machine is gone, and it with it; nobody is told. */
  vanish(): void {
    this.#close("forgotten");
    this.#isDestroyed = true;
    this.#parts.onGone(this);
  }

  /** Something has come. What comes for a connection that is no more is answered by a reset. */
  arrive(segment: Segment): void {
    if (this.#state.name !== "open") return this.#answerReset(segment);
    if (segment === "rst") return this.failed("ECONNRESET", "read ECONNRESET");
    this.#inbox.push(segment);
    if (this.#isReadDue) return;
    this.#isReadDue = true;
    this.process.run(this.#read);
  }

  readonly #read = (): void => {
    this.#isReadDue = false;
    if (this.#isDestroyed || this.#state.name !== "open") return;
    const [first] = this.#inbox;
    if (first === "fin") return this.#inContext(this.#readEnd);
    const bytes = this.#taken();
    this.#state.peer.#hasBeenRead(bytes.length, this.#state.out);
    if (this.#inbox.length > 0) {
      this.#isReadDue = true;
      this.#parts.timeline.call(this.#parts.timeline.now, () => this.process.run(this.#read));
    }
    this.#parts.onRead(this, bytes);
    this.#inContext(this.#tellData, bytes);
  };

  readonly #tellData = (bytes: Buffer): void => void this.emit("data", bytes);

  /** As Node does by default, our side ends with the peer's. */
  readonly #readEnd = (): void => {
    this.#inbox.shift();
    this.#peerHasEnded = true;
    this.emit("end");
    this.end();
    this.#closeIfOver();
  };

  /** Who has closed still understands that the peer ends its side. */
  #answerReset(segment: Segment): void {
    if (this.#state.name === "forgotten" ? segment !== "rst" : typeof segment !== "string") this.out?.send("rst");
  }

  /** All that is there, as far as one read brings it. */
  #taken(): Buffer {
    const pieces: Buffer[] = [];
    let bytes = 0;
    while (bytes < highWaterBytes) {
      const next = this.#inbox[0];
      if (next === undefined || typeof next === "string") break;
      pieces.push(next);
      bytes += next.length;
      this.#inbox.shift();
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  /** The peer has read so many bytes: where somebody waits for that, it is told once the news is here. */
  #hasBeenRead(bytes: number, by: Flow): void {
    this.#unreadBytes -= bytes;
    if (this.#outboxBytes === 0) return;
    const { timeline } = this.#parts;
    timeline.call(timeline.now + by.path.delayMs(), () => this.process.run(() => this.#inContext(() => this.#flush())));
  }

  /** Sends what there is room for: a copy, since what was written is its writer's again once it has left. */
  #flush(): void {
    if (this.#state.name !== "open" || this.#isDestroyed) return;
    const room = this.#parts.windowBytes - this.#unreadBytes;
    if (this.#outboxBytes > 0 && room > 0) {
      const all = Buffer.concat(this.#outbox);
      const sent = all.length <= room ? all : all.subarray(0, room);
      this.#outbox = sent.length === all.length ? [] : [all.subarray(room)];
      this.#outboxBytes -= sent.length;
      this.#unreadBytes += sent.length;
      this.#state.out.send(sent);
    }
    if (this.#outboxBytes > 0) return;
    if (this.#needsDrain) {
      this.#needsDrain = false;
      process.nextTick(() => this.#isDestroyed || this.emit("drain"));
    }
    if (this.#isEnding && !this.#hasEnded) {
      this.#hasEnded = true;
      this.#state.out.send("fin");
      this.#closeIfOver();
    }
  }

  #closeIfOver(): void {
    if (!this.#hasEnded || !this.#peerHasEnded || this.#isDestroyed) return;
    this.#close("closed");
    this.#gone();
  }

  #close(name: "closed" | "forgotten"): void {
    this.#state = { name, out: this.out };
    this.#inbox = [];
  }

  /** Tells the process, in a turn of its own. */
  #gone(error?: Error): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#parts.onGone(this);
    process.nextTick(() => {
      if (this.process.isEnded) return;
      if (error !== undefined) this.emit("error", error);
      this.emit("close");
    });
  }
}
