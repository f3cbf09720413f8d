import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { systemClock, type Timer } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { unavailable } from "../call/errors.ts";
import type { Connection } from "./connections.ts";
import type { SessionOptions } from "./engine.ts";
import { agedAt } from "./wear.ts";

/** Opening until the peer has spoken; open for requests; leaving with what it still carries; closed. */
type State = "opening" | "open" | "leaving" | "closed";

/**
 * One HTTP/2 connection from its opening to its end. It never comes back: whoever needs another makes another.
 *
 * It counts as open when the peer's SETTINGS are there. A TCP connection alone proves nobody: the system opens it for a
 * program that is about to close its port, and what was sent over it by then could not be told from what was processed.
 */
export class NodeConnection implements Connection {
  /** Settles when it has opened or cannot; rejects with UNAVAILABLE. */
  readonly opened: Promise<void>;
  readonly #http2: ClientHttp2Session;
  readonly #address: string;
  readonly #connectTimeoutMs: number;
  #state: State = "opening";
  #problem: Error | undefined;
  #streams = 0;
  #heardAt = systemClock.now();
  #timer: Timer | undefined;
  #age: Timer | undefined;
  readonly #idleMs: number;
  readonly #keepaliveTimeMs: number;
  readonly #keepaliveTimeoutMs: number;
  readonly #leaveListeners: (() => void)[] = [];

  constructor(address: string, origin: string, options: SessionOptions = {}) {
    const { tls, connectTimeoutMs = 2_000, idleMs = 270_000, maxAgeMs = 600_000 } = options;
    this.#address = address;
    this.#idleMs = idleMs;
    this.#keepaliveTimeMs = options.keepaliveTimeMs ?? 60_000;
    this.#keepaliveTimeoutMs = options.keepaliveTimeoutMs ?? 10_000;
    this.#connectTimeoutMs = connectTimeoutMs;
    const { serverName, ...proof } = tls ?? {};
    this.#http2 = connect(origin, {
      ...proof,
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
    this.opened = this.#opening(maxAgeMs);
    this.opened.catch(() => {}); // whoever waits for it is told
  }

  /** Whether new requests may go out on it, now or once it has opened. */
  get usable(): boolean {
    return this.#state === "opening" || (this.#state === "open" && !this.#http2.closed && !this.#http2.destroyed);
  }

  /** Whether it is gone, and everything that it carried with it. */
  get gone(): boolean {
    return this.#state === "closed" || this.#http2.destroyed;
  }

  /** What became of it, as UNAVAILABLE. */
  error() {
    const why = this.#problem === undefined ? "it was closed" : this.#problem.message;
    const reason = this.#state === "opening" ? "CONNECT_FAILED" : "CONNECTION_LOST";
    const what =
      this.#state === "opening" ? `no connection to ${this.#address}` : `connection to ${this.#address} lost`;
    return Object.assign(unavailable(`${what}: ${why}`, { reason, domain: "heddle" }), { cause: this.#problem });
  }

  /** Opens a stream; throws when the connection takes none any more. Only once it has opened. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#http2.request(headers);
    if (this.#streams++ === 0) {
      this.#http2.ref();
      this.#watchSilence();
    }
    stream.once("response", this.heard);
    stream.once("close", () => this.#streamClosed());
    return stream;
  }

  /** Calls `listener` when it takes no more requests, having opened before. */
  onLeave(listener: () => void): void {
    this.#leaveListeners.push(listener);
  }

  /** Calls `listener` when it is gone. */
  onGone(listener: () => void): void {
    this.#http2.once("close", listener);
  }

  /** The peer has been heard of: it need not be asked whether it lives. */
  readonly heard = (): void => {
    this.#heardAt = systemClock.now();
  };

  /** Whether the peer still answers; asked only when it has long been silent. One that does not answer is given up. */
  async alive(): Promise<boolean> {
    if (this.#silentMs() > this.#keepaliveTimeMs) await this.#ping(this.#connectTimeoutMs);
    return this.usable;
  }

  /** Closes it at once, with what it carries. */
  close(problem?: Error): void {
    this.#problem ??= problem;
    // Without an error Node would end its streams as if all were well.
    this.#http2.destroy(this.#problem ?? new Error("it was closed"), constants.NGHTTP2_CANCEL);
  }

  #opening(maxAgeMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = new Error(`nobody there spoke HTTP/2 within ${this.#connectTimeoutMs} ms`);
    this.#timer = systemClock.setTimer(this.#connectTimeoutMs, () => {
      this.close(late);
      reject(this.error()); // Node never says that it has closed, where TLS was cut off right behind its handshake
      this.#state = "closed";
    });
    this.#http2.once("remoteSettings", () => {
      if (this.#state === "opening") this.#state = "open";
      this.#age = systemClock.setTimer(agedAt(0, maxAgeMs, systemRandom), () => this.#retire());
      this.#idle();
      resolve();
    });
    this.#http2.on("goaway", () => {
      this.#leave(); // Node closes it when its last stream has ended
    });
    this.#http2.on("error", (error) => {
      this.#problem ??= error;
    });
    this.#http2.once("close", () => {
      this.#timer?.cancel();
      this.#age?.cancel();
      reject(this.error());
      if (this.#state === "open") this.#leave();
      this.#state = "closed";
    });
    return promise;
  }

  #leave(): void {
    const wasOpen = this.#state === "open";
    if (wasOpen || this.#state === "opening") this.#state = "leaving";
    if (wasOpen) for (const listener of this.#leaveListeners) listener();
  }

  /** Takes no more requests, and closes when those it carries have ended. */
  #retire(): void {
    this.#leave();
    this.#http2.close();
  }

  #streamClosed(): void {
    if (--this.#streams === 0 && !this.gone) this.#idle();
  }

  /** Nothing under way: it may end the process, and after a while itself. */
  #idle(): void {
    this.#http2.unref();
    this.#setTimer(this.#idleMs, () => this.#retire());
  }

  #watchSilence(): void {
    this.#setTimer(Math.max(1, this.#keepaliveTimeMs - this.#silentMs()), () => {
      const isSilent = this.#silentMs() >= this.#keepaliveTimeMs;
      const checked = isSilent ? this.#ping(this.#keepaliveTimeoutMs) : Promise.resolve();
      void checked.then(() => this.#streams > 0 && !this.gone && this.#watchSilence());
    });
  }

  /** Resolves when the peer has answered, or has not in time and the connection is closed. */
  #ping(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = systemClock.setTimer(timeoutMs, () =>
      this.close(new Error(`no answer to a ping in ${timeoutMs} ms`)),
    );
    const done = () => {
      timer.cancel();
      resolve();
    };
    this.#http2.once("close", done);
    const sent =
      !this.gone &&
      this.#http2.ping((error) => {
        if (error === null) this.heard();
        this.#http2.off("close", done);
        done();
      });
    if (!sent) done();
    return promise;
  }

  #silentMs(): number {
    return systemClock.now() - this.#heardAt;
  }

  #setTimer(ms: number, fn: () => void): void {
    this.#timer?.cancel();
    this.#timer = systemClock.setTimer(ms, fn);
  }
}
