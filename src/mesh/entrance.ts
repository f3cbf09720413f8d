import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { CancelListener } from "../base/lifetime.ts";
import type { OutgoingCall } from "../call/outgoing-call.ts";
import { comesTooLate, findsNoPlace } from "./ends.ts";
import type { Waiter } from "./policy/bulkhead.ts";
import { tooLate } from "./policy/early-refusal.ts";
import type { Route } from "./route.ts";
import type { Story } from "./story.ts";

/** A call at the entrance. */
export interface Entrant {
  readonly call: OutgoingCall;
  readonly route: Route;
  readonly story: Story;
  /** It is in, with a place in its route's bulkhead that it has to leave. */
  begin(now: number): void;
  /** It is not, and will not be. */
  refuse(error: ConnectError): void;
}

/**
 * Lets a unary call in as soon as there is a place for it; refuses it if it would come too late, or if there is no room
 * to wait in either.
 */
export function enter(entrant: Entrant, clock: Clock): void {
  const { call, route, story } = entrant;
  const { startedAt: now } = story;
  const late = call.deadlineAt === undefined ? undefined : tooLate(call.deadlineAt - now, route.latency, now);
  if (late !== undefined) return entrant.refuse(comesTooLate(route, late));
  if (route.bulkhead.takePlace()) return entrant.begin(now);
  const inLine = new InLine(entrant, clock);
  if (route.bulkhead.enter(inLine) === "full") return entrant.refuse(findsNoPlace(route));
  story.note(now, "waits for a place: as many calls as may be are under way");
  call.onCancel(inLine);
}

/** A call that waits for a place. */
class InLine implements Waiter, CancelListener {
  readonly #entrant: Entrant;
  readonly #clock: Clock;

  constructor(entrant: Entrant, clock: Clock) {
    this.#entrant = entrant;
    this.#clock = clock;
  }

  /** There is a place. */
  admitted(): void {
    const { call, story } = this.#entrant;
    call.offCancel(this);
    const now = this.#clock.now();
    story.note(now, "has a place");
    this.#entrant.begin(now);
  }

  /** Its caller gave up, or its deadline has passed. */
  canceled(reason: unknown): void {
    this.#entrant.route.bulkhead.giveUp(this);
    this.#entrant.refuse(ConnectError.from(reason, Code.Canceled));
  }
}
