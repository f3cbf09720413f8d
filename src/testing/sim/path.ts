import type { Dice } from "./dice.ts";
import type { Latency } from "./latency.ts";

/** One machine on the network. */
export class Host {
  readonly name: string;
  /** Whether it has power: one that has none answers nothing, not even that nobody is there. */
  isUp = true;
  /** How many faults hold back what it sends, and what is sent to it. */
  deaf = 0;
  mute = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** How what is sent from one host to another fares. */
export interface PathOptions {
  readonly latency: Latency;
  /** Share of segments that get lost and are sent again: TCP delivers them all the same, later. Default 0. */
  readonly lossRatio?: number;
  /** Default: as many as there are. */
  readonly bytesPerMs?: number;
}

/** TCP's first wait before it sends a segment again; each further one is twice as long. */
const firstResendMs = 200;

/** The way from one host to another. The way back is another one, with a fate of its own. */
export class Path {
  readonly from: Host;
  readonly to: Host;
  readonly dice: Dice;
  /** May be changed at any time. */
  options: PathOptions;
  /** How many faults cut it. */
  cuts = 0;

  constructor(from: Host, to: Host, options: PathOptions, dice: Dice) {
    this.from = from;
    this.to = to;
    this.options = options;
    this.dice = dice;
  }

  /** Whether what is sent arrives. */
  get isOpen(): boolean {
    const { from, to } = this;
    return this.cuts + from.mute + to.deaf === 0 && from.isUp && to.isUp;
  }

  /** How long a segment takes, those sendings included that get lost. */
  delayMs(): number {
    const { latency, lossRatio = 0 } = this.options;
    let ms = latency(this.dice);
    for (let again = firstResendMs; lossRatio > 0 && this.dice.chance(lossRatio); again *= 2) ms += again;
    return ms;
  }

  /** How long it takes to put so many bytes on the line. */
  lineMs(bytes: number): number {
    const { bytesPerMs } = this.options;
    return bytesPerMs === undefined ? 0 : bytes / bytesPerMs;
  }
}

/** When TCP next sends what was lost `elapsedMs` ago again, from now: its waits double, so a long cut is noticed late. */
export function resendInMs(elapsedMs: number): number {
  let at = firstResendMs;
  for (let wait = 2 * firstResendMs; at < elapsedMs; wait = Math.min(2 * wait, 120_000)) at += wait;
  return at - elapsedMs;
}
