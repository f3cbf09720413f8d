import { subscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { createRequire } from "node:module";
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

/** Node's own lists of timers, by span; of all there is, only they know the ones that Node sets itself. */
type TimerLists = Record<number, TimerLink>;
interface TimerLink {
  readonly _idlePrev: TimerLink;
}

/**
 * Counts what a process holds, from its making on. The process has to be started with `--expose-internals`: Node tells of
 * sockets, and of no timer that does not keep the process alive.
 */
export class Ledger {
  readonly #sockets = new Set<Socket>();
  readonly #timers: TimerLists = createRequire(import.meta.url)("internal/timers").timerListMap;
  readonly #signals: AbortSignal[] = [];

  constructor() {
    const note = (message: unknown) => {
      const { socket } = message as { socket: Socket };
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    };
    subscribe("net.client.socket", note);
    subscribe("net.server.socket", note);
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
      timers: this.#countTimers(),
      listeners: [...ofSignals, ...ofProcess].reduce((sum, count) => sum + count, 0),
      resources: alive.sort().join(" "),
    };
  }

  #countTimers(): number {
    let count = 0;
    for (const list of Object.values(this.#timers))
      for (let timer = list._idlePrev; timer !== list; timer = timer._idlePrev) count++;
    return count;
  }
}
