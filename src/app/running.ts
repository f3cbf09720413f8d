import type { Logger } from "../base/log.ts";
import type { Server } from "../server/serve.ts";
import type { Listener } from "../wire/engine.ts";

/** A server that runs: registered, checked, and drained when told to stop. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `undefined` where no pages for machines were asked for. */
  readonly adminPort: number | undefined;
  /** Stops: lets the registration go, finishes what has begun, closes. Twice is once. */
  drain(): Promise<void>;
  /** Resolves when it has stopped, whoever stopped it. A program ends by itself after it. */
  readonly drained: Promise<void>;
}

/** What runs together and is stopped together. */
export interface RunningParts {
  readonly server: Server;
  /** What the server proves itself with, where that is followed. */
  readonly certificates: Disposable | undefined;
  readonly admin: Listener | undefined;
  /** May still be under way: whoever stops it meanwhile waits for it, and then lets it go. */
  readonly registration: Promise<AsyncDisposable> | undefined;
  readonly log: Logger;
  /** How long draining waits for calls under way, in milliseconds. */
  readonly drainMs: number;
  /** Whether SIGTERM and SIGINT drain. */
  readonly signals: boolean;
}

const stopSignals = ["SIGTERM", "SIGINT"] as const;

/** The parts of a running server, stopped in the reverse of the order in which they were started. */
export class Running implements RunningServer {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly drained: Promise<void>;
  readonly #parts: RunningParts;
  readonly #stopped = Promise.withResolvers<void>();
  #draining: Promise<void> | undefined;

  constructor(parts: RunningParts) {
    this.host = parts.server.host;
    this.port = parts.server.port;
    this.adminPort = parts.admin?.port;
    this.drained = this.#stopped.promise;
    this.#parts = parts;
    if (parts.signals) for (const signal of stopSignals) process.on(signal, this.#onSignal);
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain().then(this.#stopped.resolve, this.#stopped.reject);
    return this.#draining.then(() => this.drained);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.#parts.log.info("stopping", { signal });
    void this.drain();
  };

  async #drain(): Promise<void> {
    const { server, certificates, admin, registration, log, drainMs } = this.#parts;
    server.health.serving.set(false);
    await (await registration)?.[Symbol.asyncDispose]();
    const cutOff = await server.drain(drainMs);
    if (cutOff > 0) log.warn("calls were cut off: the grace period was too short for them", { calls: cutOff, drainMs });
    certificates?.[Symbol.dispose]();
    await admin?.[Symbol.asyncDispose]();
    for (const signal of stopSignals) process.off(signal, this.#onSignal);
    log.info("stopped");
  }
}
