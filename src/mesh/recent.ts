import type { Clock } from "../base/clock.ts";
import { Explanation } from "./explanation.ts";
import type { Story } from "./story.ts";

/** Calls that are remembered, of each kind: those that went straight to their answer, and those that did not. */
const remembered = 1_024;

/** The stories of the latest calls of a mesh: of all, and for longer of those that failed, were repeated or waited. */
export class Recent {
  readonly #clock: Clock;
  readonly #straight = new Ring(remembered);
  readonly #eventful = new Ring(remembered);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One more call has ended; of a stream, has begun to be answered. */
  add(story: Story): void {
    if (story.isEventful) this.#eventful.add(story);
    else this.#straight.add(story);
  }

  /** The calls of a trace that are remembered. */
  ofTrace(traceId: string): Explanation[] {
    return this.#explained(({ traceparent }) => traceparent?.includes(traceId) === true);
  }

  /** Those that are remembered and did not go straight to their answer. */
  eventful(): Explanation[] {
    return this.#explained(({ isEventful }) => isEventful);
  }

  #explained(isMeant: (story: Story) => boolean): Explanation[] {
    const stories = [...this.#straight.stories, ...this.#eventful.stories].filter(isMeant);
    return stories.map((story) => new Explanation(story, this.#clock));
  }
}

/** The latest of many. It grows to its size: most meshes of a test make few calls. */
class Ring {
  readonly #size: number;
  readonly #slots: Story[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get stories(): readonly Story[] {
    return this.#slots;
  }

  add(story: Story): void {
    this.#slots[this.#next] = story;
    if (++this.#next === this.#size) this.#next = 0;
  }
}

/** Those of all meshes that are open in this process. */
const ofProcess = new Set<Recent>();

/** Lets the calls of a mesh be found by `recentCalls`, until it is closed. */
export function enterRecent(recent: Recent): Disposable {
  ofProcess.add(recent);
  return { [Symbol.dispose]: () => void ofProcess.delete(recent) };
}

/** The calls of a trace that the open meshes of this process remember, in the order in which they began. */
export function callsOfTrace(traceId: string): Explanation[] {
  return inOrder([...ofProcess].flatMap((recent) => recent.ofTrace(traceId)));
}

/** The latest `count` calls of this process that did not go straight to their answer, the last to begin first. */
export function eventfulCalls(count: number): Explanation[] {
  return inOrder([...ofProcess].flatMap((recent) => recent.eventful()))
    .reverse()
    .slice(0, count);
}

function inOrder(calls: Explanation[]): Explanation[] {
  return calls.sort((a, b) => a.startedAt - b.startedAt);
}
