import { ConnectionError, ErrorCode } from "./errors.ts";
import { type Limits, Meter, type Now, type RateName } from "./limits.ts";

const rates = [
  ...["streamsOpened", "resetsReceived", "resetsForced", "pings", "settings", "emptyFrames", "windowUpdates"],
] as readonly RateName[];

/** What a peer has used up of each rate. */
export class Guard {
  readonly #meters: ReadonlyMap<RateName, Meter>;
  readonly #now: Now;

  constructor(limits: Limits, now: Now) {
    this.#now = now;
    this.#meters = new Map(rates.map((name) => [name, new Meter(limits[name], now.ms)]));
  }

  /** Charges one, and ends the connection of a peer that has none left. */
  charge(name: RateName): void {
    if (this.#meters.get(name)?.take(this.#now.ms) === true) return;
    throw new ConnectionError(ErrorCode.enhanceYourCalm, `too many: ${name}`, name);
  }

  /** Gives back for good behaviour. */
  giveBack(name: RateName, count: number): void {
    this.#meters.get(name)?.giveBack(count);
  }
}
