import { Node, type WorldParts } from "./node.ts";
import type { Process } from "./process.ts";

/** Time in which a process that was told to end has let go of everything, all its linger included. */
const lingerMs = 5_000;

/** A machine of the simulated world, with one process on it at a time; what goes wrong with machines goes wrong here. */
export class Machine {
  readonly name: string;
  readonly #parts: WorldParts;
  readonly #leftovers: string[] = [];
  #node: Node | undefined;
  #lives = 0;

  /** @internal */
  constructor(name: string, parts: WorldParts) {
    this.name = name;
    this.#parts = parts;
    parts.network.host(name);
  }

  /** The process on it, if it runs. */
  get node(): Node | undefined {
    return this.#node?.process.isEnded ? undefined : this.#node;
  }

  /** How many processes have run on it, the present one included. */
  get life(): number {
    return this.#lives;
  }

  /** What processes that ended well had not let go of. */
  get leftovers(): readonly string[] {
    return this.#leftovers;
  }

  /** Its process ends in the middle of whatever it does; the system closes its connections. */
  crash(): void {
    if (this.node === undefined) return;
    this.tell("crashes");
    this.#node?.process.end();
    this.gone();
  }

  /** It is gone from one moment to the next, and nobody tells those who are connected to it. */
  powerOff(): void {
    this.tell("loses power");
    this.#parts.network.host(this.name).isUp = false;
    this.#node?.process.end();
    this.gone();
  }

  /** It has power again. What ran on it does not run. */
  powerOn(): void {
    this.#parts.network.host(this.name).isUp = true;
    this.#parts.network.healed();
  }

  /** Its process stands still, as one does that computes, collects garbage or is swapped out; returns what ends that. */
  pause(): () => void {
    this.tell("stands still");
    const goOn = this.node?.process.pause();
    return () => {
      this.tell("goes on");
      goOn?.();
    };
  }

  /** The date on it changes; nothing else does. */
  jump(ms: number): void {
    this.tell(`its date jumps by ${ms} ms`);
    this.node?.process.jump(ms);
  }

  /** Begins a new process. */
  protected begin(): Node {
    if (this.node !== undefined) throw new Error(`${this.name} runs already`);
    this.powerOn();
    this.tell(this.#lives === 0 ? "starts" : "starts again");
    this.#node = new Node(this.name, ++this.#lives, this.#parts);
    return this.#node;
  }

  /** Lets a process end by itself: `close` closes all it has. What it leaves is noted. One that crashes meanwhile has ended. */
  protected async leave({ process }: Node, close: () => PromiseLike<unknown>): Promise<void> {
    this.tell("stops");
    await this.orEnded(process, close());
    if (process.isEnded) return;
    await this.orEnded(process, this.#rest());
    if (process.isEnded) return;
    const sockets = this.#parts.network.socketsOf(process).length;
    if (process.timers > 0) {
      const origins = process.timerOrigins.filter((origin) => origin !== "");
      this.#leftovers.push([`${this.name} left ${process.timers} timers`, ...origins].join(" · "));
    }
    if (sockets > 0) this.#leftovers.push(`${this.name} left ${sockets} sockets`);
    process.end();
    this.gone();
  }

  /** Waits for something that a process does, or until the process has ended in the middle of it. */
  protected orEnded(process: Process, done: PromiseLike<unknown>): Promise<unknown> {
    return Promise.race([done, new Promise<void>((resolve) => process.onEnd(resolve))]);
  }

  protected tell(what: string): void {
    this.#parts.chronicle.tell(this.name, what);
  }

  /** Its process has ended. */
  protected gone(): void {}

  /** On the world's time: the process's own timers are what is looked for. */
  #rest(): Promise<void> {
    const { timeline } = this.#parts;
    return new Promise((resolve) => void timeline.call(timeline.now + lingerMs, resolve));
  }
}
