import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createNodeHttpClient, Http2SessionManager } from "@connectrpc/connect-node";
import { systemClock } from "../base/clock.ts";
import { unavailable } from "../call/errors.ts";
import { type Progress, withProgress } from "../call/progress.ts";
import type { Session, SessionOptions } from "./engine.ts";

/** gRPC's keepalive (DESIGN §4): ping after 60 s while calls are open, 10 s to answer; idle connections end at 5 min. */
const keepalive = { pingIntervalMs: 60_000, pingTimeoutMs: 10_000, idleConnectionTimeoutMs: 300_000 };

/** RFC 9113 §7: the peer did nothing with the stream. */
const refusedStream = 0x7;

/** A session over `node:http2`. connect-node's manager keeps the connection; this tells how far a failure got. */
export class NodeSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly #manager: Http2SessionManager;
  readonly #connectTimeoutMs: number;
  #carried = 0;
  #retired = false;

  constructor(address: string, { tls, connectTimeoutMs = 2_000 }: SessionOptions = {}) {
    this.address = address;
    this.origin = `${tls ? "https" : "http"}://${address}`;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#manager = new Http2SessionManager(this.origin, keepalive, {
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    });
  }

  readonly request = async (request: UniversalClientRequest): Promise<UniversalClientResponse> => {
    const attempt = new Attempt(this.#manager, (open) => this.#openInTime(open));
    const send = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => attempt });
    this.#carried++;
    attempt.onClose = () => this.#ended();
    try {
      const response = await send(request);
      return { ...response, body: attempt.tellingProgress(response.body) };
    } catch (reason) {
      throw attempt.failed(reason);
    }
  };

  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#manager.abort(new ConnectError("session closed", Code.Canceled));
  }

  #ended(): void {
    this.#carried--;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#retired && this.#carried === 0) this.#manager.abort(new ConnectError("session retired", Code.Canceled));
  }

  /** A connection that does not open in time is given up, so that the next request tries a new one. */
  async #openInTime<T>(open: Promise<T>): Promise<T> {
    const state = this.#manager.state();
    if (state === "open" || state === "idle") return open;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = systemClock.setTimer(this.#connectTimeoutMs, () => {
      const message = `no connection to ${this.address} within ${this.#connectTimeoutMs} ms`;
      const error = unavailable(message, { reason: "CONNECT_TIMEOUT", domain: "heddle" });
      reject(error);
      this.#manager.abort(error);
    });
    try {
      return await Promise.race([open, late]);
    } finally {
      timer.cancel();
    }
  }
}

/** One request on the way to its stream: the session that connect-node's client is shown. */
class Attempt {
  readonly authority: string;
  readonly #manager: Http2SessionManager;
  readonly #inTime: <T>(open: Promise<T>) => Promise<T>;
  #stream: ClientHttp2Stream | undefined;
  /** Called once, when the request's stream is closed, or when it never got one. */
  onClose: () => void = () => {};

  constructor(manager: Http2SessionManager, inTime: <T>(open: Promise<T>) => Promise<T>) {
    this.authority = manager.authority;
    this.#manager = manager;
    this.#inTime = inTime;
  }

  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    try {
      this.#stream = await this.#inTime(this.#manager.request(method, path, headers, {}));
    } catch (reason) {
      this.onClose();
      throw this.failed(reason);
    }
    this.#stream.once("close", this.onClose);
    return this.#stream;
  }

  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#manager.notifyResponseByteRead(stream);
  }

  /** The error as a ConnectError that knows how far the request got. */
  failed(reason: unknown): ConnectError {
    return withProgress(ConnectError.from(reason, Code.Unavailable), this.#progress());
  }

  async *tellingProgress(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (reason) {
      throw this.failed(reason);
    }
  }

  #progress(): Progress {
    if (this.#stream === undefined || this.#stream.id === undefined) return "not-sent";
    return this.#stream.rstCode === refusedStream ? "refused" : "processed";
  }
}
