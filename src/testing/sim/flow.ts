import type { Happening } from "./event-queue.ts";
import { type Path, resendInMs } from "./path.ts";
import type { Timeline } from "./timeline.ts";

/** What travels: bytes, "there is nothing more", or "this connection is no more". */
export type Segment = Buffer | "fin" | "rst";

/** What a flow is made of. */
export interface FlowOptions {
  readonly timeline: Timeline;
  readonly path: Path;
  /** Told of what gets through. */
  readonly arrive: (segment: Segment) => void;
  /** Told when something did not get through, until it was `healed`. */
  readonly onLoss: (flow: Flow) => void;
}

/** One direction of a connection: what is sent arrives in order, once its path lets it through, or never. */
export class Flow {
  readonly path: Path;
  readonly #timeline: Timeline;
  readonly #arrive: (segment: Segment) => void;
  readonly #onLoss: (flow: Flow) => void;
  /** What did not get through, and since when. */
  #lost: Segment[] = [];
  #lostAt = 0;
  #lineFreeAt = 0;
  #lastAt = 0;
  #isSevered = false;

  constructor({ timeline, path, arrive, onLoss }: FlowOptions) {
    this.path = path;
    this.#timeline = timeline;
    this.#arrive = arrive;
    this.#onLoss = onLoss;
  }

  /** Whether somebody on the way has forgotten the connection. */
  get isSevered(): boolean {
    return this.#isSevered;
  }

  send(segment: Segment): void {
    if (this.#isSevered) return;
    const bytes = typeof segment === "string" ? 0 : segment.length;
    this.#lineFreeAt = Math.max(this.#timeline.now, this.#lineFreeAt) + this.path.lineMs(bytes);
    this.#lastAt = Math.max(this.#lastAt, this.#lineFreeAt + this.path.delayMs());
    this.#timeline.at(this.#lastAt, new Arrival(this, segment));
  }

  /** It is at the other end, if the path is open. What comes after something that got lost waits for it. */
  arrived(segment: Segment): void {
    if (this.#isSevered) return;
    if (this.#lost.length === 0 && this.path.isOpen) return this.#arrive(segment);
    if (this.#lost.length === 0) {
      this.#lostAt = this.#timeline.now;
      this.#onLoss(this);
    }
    this.#lost.push(segment);
  }

  /** From now on nothing gets through, and nobody is told: somebody on the way has forgotten the connection. */
  sever(): void {
    this.#isSevered = true;
    this.#lost = [];
  }

  /** The path is open again: what was lost is sent again when its time comes. */
  healed(): void {
    const inMs = resendInMs(this.#timeline.now - this.#lostAt) + this.path.delayMs();
    this.#timeline.call(this.#timeline.now + inMs, () => this.#resent());
  }

  #resent(): void {
    if (this.#lost.length === 0) return;
    if (!this.path.isOpen) return this.#onLoss(this);
    const lost = this.#lost;
    this.#lost = [];
    for (const segment of lost) this.#arrive(segment);
  }
}

class Arrival implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly #flow: Flow;
  readonly #segment: Segment;

  constructor(flow: Flow, segment: Segment) {
    this.#flow = flow;
    this.#segment = segment;
  }

  happen(): void {
    this.#flow.arrived(this.#segment);
  }
}
