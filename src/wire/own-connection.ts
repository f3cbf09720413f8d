import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectError } from "@connectrpc/connect";
import { getAbortSignalReason, type UniversalClientRequest } from "@connectrpc/connect/protocol";
import { systemClock } from "../base/clock.ts";
import { unavailable } from "../call/errors.ts";
import { withProgress } from "../call/progress.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import type { Connection } from "./connections.ts";
import type { SessionOptions } from "./engine.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { Call } from "./own-call.ts";
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
  readonly #connectTimeoutMs: number;
  readonly #opening = Promise.withResolvers<void>();
  readonly #goneListeners: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #state: "opening" | "open" | "leaving" | "closed" = "opening";
  #heardAt = systemClock.now();
  #pingedAt: number | undefined;

  constructor(address: string, { tls, connectTimeoutMs = 2_000 }: SessionOptions = {}) {
    super(socketTo(address, tls), { role: "client", limits: { handshakeMs: connectTimeoutMs, idleMs } });
    this.#address = address;
    this.#scheme = tls ? "https" : "http";
    this.#connectTimeoutMs = connectTimeoutMs;
    this.opened = this.#opening.promise;
    this.opened.catch(() => {}); // whoever waits for it is told
    const late = new Error(`nobody there spoke HTTP/2 within ${connectTimeoutMs} ms`);
    const timer = systemClock.setTimer(connectTimeoutMs, () => this.close(late));
    this.opened.then(
      () => timer.cancel(),
      () => timer.cancel(),
    );
    this.socket.on("data", () => {
      this.#heardAt = systemClock.now();
    });
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
    for (;;) {
      if (request.signal?.aborted) throw getAbortSignalReason(request.signal);
      const stream = this.http2.openStream(fields, false);
      if (stream !== undefined) return this.#called(stream, request, onOver);
      if (!this.usable) throw withProgress(this.#error(), "not-sent");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  onGone(listener: () => void): void {
    this.#goneListeners.push(listener);
  }

  async alive(): Promise<boolean> {
    if (systemClock.now() - this.#heardAt <= silenceMs) return this.usable;
    this.#ping(systemClock.now());
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    const timer = systemClock.setTimer(this.#connectTimeoutMs, () => this.close(new Error("no answer to a ping")));
    await answered;
    timer.cancel();
    return this.usable;
  }

  // ---- what the connection tells ----

  override settings(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#restful();
    this.#opening.resolve();
  }

  override goAway(): void {
    this.#state = "leaving";
    this.#wakeAll();
    this.#closeIfDone();
  }

  override pong(): void {
    this.#pingedAt = undefined;
    this.#wakeAll();
  }

  override roomForStreams(): void {
    this.#wakeAll();
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const call = stream.owner as Call;
    call.headers(fields);
    if (endStream) call.ended();
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.owner as Call;
    if (end > start) call.data(bytes.subarray(start, end));
    if (endStream) call.ended();
  }

  trailers(stream: Stream, fields: Fields): void {
    const call = stream.owner as Call;
    call.trailers(fields);
    call.ended();
  }

  writable(stream: Stream): void {
    (stream.owner as Call).writable();
  }

  closed(): void {
    this.#restful();
    this.#closeIfDone();
  }

  reset(stream: Stream, reset: Reset): void {
    (stream.owner as Call).reset(reset, () => this.#error());
    this.closed();
  }

  protected gone(): void {
    this.#opening.reject(withProgress(this.#error(), "not-sent"));
    this.#state = "closed";
    this.#wakeAll();
    for (const listener of this.#goneListeners) listener();
  }

  protected ticked(nowMs: number): void {
    if (this.http2.streamCount === 0) return;
    if (this.#pingedAt !== undefined && nowMs - this.#pingedAt > pongMs) {
      this.close(new Error(`no answer to a ping in ${pongMs} ms`));
    } else if (this.#pingedAt === undefined && nowMs - this.#heardAt > silenceMs) {
      this.#ping(nowMs);
    }
  }

  // ---- within ----

  #called(stream: Stream, request: UniversalClientRequest, onOver: () => void): Call {
    const call = new Call(this.http2, stream, request, () => {
      onOver();
      this.closed();
    });
    stream.owner = call;
    this.socket.ref();
    void call.send(request.body);
    return call;
  }

  #ping(nowMs: number): void {
    this.#pingedAt = nowMs;
    this.http2.ping(pingPayload);
  }

  /** Nothing under way: it does not keep the process. */
  #restful(): void {
    if (this.http2.streamCount === 0) this.socket.unref();
  }

  #closeIfDone(): void {
    if (this.#state === "leaving" && this.http2.streamCount === 0) this.close();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** What became of it. */
  #error(): ConnectError {
    const opening = this.#state === "opening";
    const what = opening ? `no connection to ${this.#address}` : `connection to ${this.#address} lost`;
    const message = `${what}: ${this.problem?.message ?? "it was closed"}`;
    const reason = opening ? "CONNECT_FAILED" : "CONNECTION_LOST";
    return Object.assign(unavailable(message, { reason, domain: "heddle" }), { cause: this.problem });
  }
}

const pingPayload = Buffer.from("heddle..");

function socketTo(address: string, tls: SessionOptions["tls"]): Socket {
  const { hostname, port } = new URL(`http://${address}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(port || (tls ? 443 : 80)), noDelay: true };
  if (tls === undefined) return connectTcp(to);
  const { ca, serverName } = tls;
  return connectTls({ ...to, ALPNProtocols: ["h2"], ...(ca && { ca }), ...(serverName && { servername: serverName }) });
}
