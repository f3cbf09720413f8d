import { subscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import type { Socket } from "node:net";

/** What a process holds. */
export interface Holdings {
  /** Sockets of both ends that are not closed. */
  readonly sockets: number;
  /** Timers that are set, whether or not they keep the process alive. */
  readonly timers: number;
  /** Listeners of the process and of the signals that were named. */
  readonly listeners: number;
  /** Whatever else keeps the process alive, by kind. */
  readonly resources: string;
  /** Of the heap and of buffers, after everything that may go has gone. */
  readonly kib: number;
}

/**
 * Counts what a process holds, from its making on. Node tells of sockets; of timers it does not, those that keep nothing
 * alive above all, so that setting and clearing them is watched: make it before anything else runs.
 */
export class Ledger {
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<unknown>();
  readonly #signals: AbortSignal[] = [];

  constructor() {
    const note = (message: unknown) => {
      const { socket } = message as { socket: Socket };
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    };
    subscribe("net.client.socket", note);
    subscribe("net.server.socket", note);
    this.#watch("setTimeout", true);
    this.#watch("setInterval", false);
    for (const name of ["clearTimeout", "clearInterval"] as const) {
      const clear = globalThis[name];
      globalThis[name] = (timer?: NodeJS.Timeout | string | number) => {
        this.#timers.delete(timer);
        clear(timer);
      };
    }
  }

  /** Counts the listeners of a signal from now on. */
  follow(signal: AbortSignal): AbortSignal {
    this.#signals.push(signal);
    return signal;
  }

  /** What is held now, the heap included: that takes its time. */
  async take(): Promise<Holdings> {
    for (let i = 0; i < 5; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return { ...this.counts(), kib: Math.round((heapUsed + arrayBuffers) / 1024) };
  }

  /** The same without the heap. */
  counts(): Omit<Holdings, "kib"> {
    const ofSignals = this.#signals.map((signal) => getEventListeners(signal, "abort").length);
    const alive = process.getActiveResourcesInfo().filter((kind) => !/^(Pipe|TTY)Wrap$/.test(kind)); // not our output
    const ofProcess = process.eventNames().map((name) => process.listenerCount(name));
    return {
      sockets: this.#sockets.size,
      timers: this.#timers.size,
      listeners: [...ofSignals, ...ofProcess].reduce((sum, count) => sum + count, 0),
      resources: alive.sort().join(" "),
    };
  }

  #watch(name: "setTimeout" | "setInterval", once: boolean): void {
    const set = globalThis[name] as (
      run: (...args: unknown[]) => void,
      ms?: number,
      ...args: unknown[]
    ) => NodeJS.Timeout;
    const watched = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const timer = set(
        (...given) => {
          if (once) this.#timers.delete(timer);
          run(...given);
        },
        ms,
        ...args,
      );
      this.#timers.add(timer);
      return timer;
    };
    globalThis[name] = Object.assign(watched, set) as never;
  }
}
