import { traceIdOf } from "../call/traceparent.ts";
import type { Story } from "./story.ts";

/** Calls that are remembered, of each kind: all, and those that did not go straight to their answer. */
const remembered = 1_024;

/** The stories of the latest calls: of all, and for longer of those that failed, were repeated or waited. */
export class Recent {
  readonly #all = new Ring(remembered);
  readonly #eventful = new Ring(remembered);

  /** One more call has ended. */
  add(story: Story): void {
    if (story.isEventful) this.#eventful.add(story);
    else this.#all.add(story);
  }

  /** The calls of a trace that are remembered, in the order in which they began. */
  ofTrace(traceId: string): Story[] {
    const isOf = (story: Story) => traceIdOf(story.traceparent) === traceId;
    return [...this.stories()].filter(isOf).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** All that are remembered, in no order. */
  *stories(): Iterable<Story> {
    yield* this.#all.stories();
    yield* this.#eventful.stories();
  }
}

/** The latest of many. */
class Ring {
  readonly #slots: (Story | undefined)[];
  #next = 0;

  constructor(size: number) {
    this.#slots = Array.from({ length: size }, () => undefined);
  }

  add(story: Story): void {
    this.#slots[this.#next] = story;
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  *stories(): Iterable<Story> {
    for (const story of this.#slots) if (story !== undefined) yield story;
  }
}
