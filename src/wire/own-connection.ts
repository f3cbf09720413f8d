import type { ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest } from "@connectrpc/connect/protocol";
import { unavailable } from "../call/errors.ts";
import { type Fields, fieldsOf } from "../call/fields.ts";
import { withProgress } from "../call/progress.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import type { CalledStream } from "./called-stream.ts";
import type { Connection } from "./connections.ts";
import type { SessionOptions } from "./engine.ts";
import type { Called } from "./grpc/called.ts";
import { Caller } from "./grpc/caller.ts";
import type { Encoded } from "./grpc/messages.ts";
import type { Attempt } from "./grpc/rpc.ts";
import type { OwnParts } from "./own.ts";
import { Call } from "./own-call.ts";
import { Line } from "./own-line.ts";
import { Pipe } from "./own-pipe.ts";

/** gRPC's keepalive (DESIGN §4): ping after 60 s of silence while calls are open, 10 s to answer; idle ends at 5 min. */
const silenceMs = 60_000;
const pongMs = 10_000;
const idleMs = 300_000;

/**
 * One HTTP/2 connection of a client. It counts as open when the peer's SETTINGS are there: a TCP connection alone proves
 * nobody, since the system opens it for a program that is about to close its port.
 */
export class OwnConnection extends Pipe implements Connection {
  readonly opened: Promise<void>;
  readonly #address: string;
  readonly #scheme: "http" | "https";
  readonly #caller: Caller;
  readonly #connectTimeoutMs: number;
  readonly #opening = Promise.withResolvers<void>();
  readonly #goneListeners: (() => void)[] = [];
  readonly #line = new Line();
  readonly #pongListeners: (() => void)[] = [];
  #state: "opening" | "open" | "leaving" | "closed" = "opening";
  #heardAt: number;
  #pingedAt: number | undefined;

  constructor(address: string, parts: OwnParts, { tls, connectTimeoutMs = 2_000, ...send }: SessionOptions = {}) {
    const { network, clock } = parts;
    super(network.connect(address, tls), { clock, role: "client", limits: { handshakeMs: connectTimeoutMs, idleMs } });
    this.#address = address;
    this.#heardAt = clock.now();
    this.#scheme = tls ? "https" : "http";
    this.#caller = new Caller({ ...send, http2: this.http2, scheme: this.#scheme, authority: address, clock });
    this.#connectTimeoutMs = connectTimeoutMs;
    this.opened = this.#opening.promise;
    this.opened.catch(() => {}); // whoever waits for it is told
    const late = new Error(`nobody there spoke HTTP/2 within ${connectTimeoutMs} ms`);
    const timer = clock.setTimer(connectTimeoutMs, () => this.destroy(late));
    this.opened.then(
      () => timer.cancel(),
      () => timer.cancel(),
    );
    this.socket.on("data", () => {
      this.#heardAt = clock.now();
    });
  }

  /** Whether it has opened, takes requests, and was heard of not long ago: nothing has to be waited for. */
  get isReady(): boolean {
    return this.#state === "open" && !this.http2.isOver && this.clock.now() - this.#heardAt <= silenceMs;
  }

  get usable(): boolean {
    return this.#state === "opening" || (this.#state === "open" && !this.http2.isOver);
  }

  /** Sends a request, when the peer has room for one; rejects when the connection goes first. */
  async send(request: UniversalClientRequest, onOver: () => void): Promise<Call> {
    const pathAt = request.url.indexOf("/", request.url.indexOf("://") + 3);
    const path = pathAt === -1 ? "/" : request.url.slice(pathAt);
    const head = [":method", request.method, ":scheme", this.#scheme, ":authority", this.#address, ":path", path];
    const fields = fieldsOf(head, request.header);
    const { body } = request;
    const begin = () => {
      if (!this.usable) throw withProgress(this.#error(), "not-sent");
      const stream = this.http2.openStream(fields, body === undefined);
      return stream && this.#called(stream, request, onOver);
    };
    const call = await this.#line.wait(begin, request.signal);
    if (body !== undefined) void call.send(body);
    return call;
  }

  /** Sends an attempt of a gRPC call at once, if the peer has room for it and nobody has come before. */
  call(attempt: Attempt, encoded: Encoded | undefined, onOver: () => void): Called | undefined {
    return this.#line.isEmpty ? this.#callNow(attempt, encoded, onOver) : undefined;
  }

  /** The same when the peer has room; rejects when the attempt is canceled, or the connection goes, before. */
  callInTurn(attempt: Attempt, encoded: Encoded | undefined, onOver: () => void): Promise<Called> {
    const begin = () => {
      if (!this.usable) throw withProgress(this.#error(), "not-sent");
      return this.#callNow(attempt, encoded, onOver);
    };
    return this.#line.wait(begin, attempt.lifetime.signal);
  }

  onGone(listener: () => void): void {
    this.#goneListeners.push(listener);
  }

  async alive(): Promise<boolean> {
    if (this.clock.now() - this.#heardAt <= silenceMs) return this.usable;
    const answered = new Promise<void>((resolve) => this.#pongListeners.push(resolve));
    this.socket.ref();
    this.#ping(this.clock.now());
    const ms = this.#connectTimeoutMs;
    const timer = this.clock.setTimer(ms, () => this.destroy(new Error(`no answer to a ping in ${ms} ms`)));
    await answered;
    timer.cancel();
    this.#restful();
    return this.usable;
  }

  /** What has not opened has nobody to be polite to; what has does not keep the process while it waits for the peer. */
  override close(problem?: Error): void {
    if (this.#state === "opening") return this.destroy(problem);
    super.close(problem);
    this.socket.unref();
  }

  // ---- what the connection tells ----

  override settings(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#restful();
    this.#opening.resolve();
  }

  override goAway(): void {
    if (this.#state === "open") this.#state = "leaving";
    this.#line.close(() => withProgress(this.#error(), "not-sent"));
    this.#closeIfDone();
  }

  override pong(): void {
    this.#pingedAt = undefined;
    for (const listener of this.#pongListeners.splice(0)) listener();
  }

  override roomForStreams(): void {
    this.#line.advance();
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const call = stream.owner as CalledStream;
    call.headers(fields, endStream);
    if (endStream) call.ended();
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.owner as CalledStream;
    if (end > start) call.data(bytes, start, end);
    if (endStream) call.ended();
  }

  trailers(stream: Stream, fields: Fields): void {
    const call = stream.owner as CalledStream;
    call.trailers(fields);
    call.ended();
  }

  writable(stream: Stream): void {
    (stream.owner as CalledStream).writable();
  }

  closed(): void {
    this.#restful();
    this.#closeIfDone();
  }

  reset(stream: Stream, reset: Reset): void {
    (stream.owner as CalledStream).reset(reset, (why) => this.#error(why));
    this.closed();
  }

  protected gone(): void {
    this.#opening.reject(withProgress(this.#error(), "not-sent"));
    this.#state = "closed";
    this.#line.close(() => withProgress(this.#error(), "not-sent"));
    for (const listener of [...this.#pongListeners, ...this.#goneListeners]) listener();
  }

  protected ticked(nowMs: number): void {
    if (this.http2.streamCount === 0) return;
    if (this.#pingedAt !== undefined && nowMs - this.#pingedAt > pongMs) {
      this.destroy(new Error(`no answer to a ping in ${pongMs} ms`));
    } else if (this.#pingedAt === undefined && nowMs - this.#heardAt > silenceMs) {
      this.#ping(nowMs);
    }
  }

  // ---- within ----

  #callNow(attempt: Attempt, encoded: Encoded | undefined, onOver: () => void): Called | undefined {
    const called = this.#caller.call(attempt, encoded, () => {
      onOver();
      this.closed();
    });
    if (called !== undefined) this.socket.ref();
    return called;
  }

  #called(stream: Stream, request: UniversalClientRequest, onOver: () => void): Call {
    const call = new Call(this.http2, stream, request, () => {
      onOver();
      this.closed();
    });
    stream.owner = call;
    this.socket.ref();
    return call;
  }

  #ping(nowMs: number): void {
    this.#pingedAt = nowMs;
    this.http2.ping(pingPayload);
  }

  /** Nothing under way: it does not keep the process. */
  #restful(): void {
    if (this.http2.streamCount === 0 && !this.socket.connecting) this.socket.unref();
  }

  #closeIfDone(): void {
    if (this.#state === "leaving" && this.http2.streamCount === 0) this.close();
  }

  /** What became of it. */
  #error(why = "it was closed"): ConnectError {
    const opening = this.#state === "opening";
    const what = opening ? `no connection to ${this.#address}` : `connection to ${this.#address} lost`;
    const message = `${what}: ${this.problem?.message ?? why}`;
    const reason = opening ? "CONNECT_FAILED" : "CONNECTION_LOST";
    return Object.assign(unavailable(message, { reason, domain: "heddle" }), { cause: this.problem });
  }
}

const pingPayload = Buffer.from("heddle..");
