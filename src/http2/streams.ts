import { Fate, type Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Gaps between ids that are remembered; a peer that behaves leaves none. */
const maxSkips = 16;

/** The streams of a connection: the live ones, the ids used so far, and how the recent ones ended. */
export class Streams {
  /** Highest id the peer has opened, and highest we have. */
  highestPeer = 0;
  highestOwn = 0;
  /** Live streams of the peer's making, and of ours. */
  peerCount = 0;
  ownCount = 0;

  readonly live = new StreamTable();
  readonly #ownParity: 0 | 1;
  readonly #resets = new Map<number, Fate>();
  readonly #maxResets: number;
  readonly #skipped: { readonly from: number; readonly to: number }[] = [];
  /** Streams up to here may have been reset and forgotten. */
  #forgottenPeer = 0;
  #forgottenOwn = 0;

  constructor(isClient: boolean, maxResets: number) {
    this.#ownParity = isClient ? 1 : 0;
    this.#maxResets = maxResets;
  }

  /** Whether ids like this one are ours to give. */
  isOwn(id: number): boolean {
    return (id & 1) === this.#ownParity;
  }

  /** Whether no stream with this id was ever opened. Ids skipped count as used (RFC 9113 §5.1.1). */
  isIdle(id: number): boolean {
    return id > (this.isOwn(id) ? this.highestOwn : this.highestPeer);
  }

  add(stream: Stream): void {
    this.live.add(stream);
    if (this.isOwn(stream.id)) {
      this.highestOwn = stream.id;
      this.ownCount++;
    } else {
      this.#reach(stream.id);
      this.peerCount++;
    }
  }

  /** Takes a stream out; false if it was out already. */
  remove(stream: Stream, fate: Fate): boolean {
    if (!this.live.delete(stream.id)) return false;
    if (this.isOwn(stream.id)) this.ownCount--;
    else this.peerCount--;
    if (fate !== Fate.ended) this.note(stream.id, fate);
    return true;
  }

  /** Remembers how a stream ended otherwise than it should; the oldest memory makes room. */
  note(id: number, fate: Fate): void {
    if (!this.isOwn(id)) this.#reach(id);
    this.#resets.set(id, fate);
    if (this.#resets.size <= this.#maxResets) return;
    const oldest = this.#resets.keys().next().value as number;
    this.#resets.delete(oldest);
    if (this.isOwn(oldest)) this.#forgottenOwn = Math.max(this.#forgottenOwn, oldest);
    else this.#forgottenPeer = Math.max(this.#forgottenPeer, oldest);
  }

  /** How a closed stream ended. One that may have been reset and forgotten counts as reset by us: that forgives most. */
  fateOf(id: number): Fate {
    const known = this.#resets.get(id);
    if (known !== undefined) return known;
    if (this.#skipped.some(({ from, to }) => id >= from && id <= to)) return Fate.skipped;
    return id <= (this.isOwn(id) ? this.#forgottenOwn : this.#forgottenPeer) ? Fate.resetByUs : Fate.ended;
  }

  /** The peer has come as far as this id; those it passed over are closed without ever having been open (§5.1.1). */
  #reach(id: number): void {
    const next = this.highestPeer === 0 ? 1 + this.#ownParity : this.highestPeer + 2;
    if (id > next) this.#skipped.push({ from: next, to: id - 2 });
    if (this.#skipped.length > maxSkips) this.#skipped.shift();
    this.highestPeer = Math.max(this.highestPeer, id);
  }
}
