import type { Place } from "./place.ts";
import type { Route } from "./route.ts";
import type { Choice, LeftOut } from "./story.ts";

/** Who may be picked, and by which rule. */
export interface Pickable extends Pick<Choice, "rule"> {
  readonly places: readonly Place[];
}

/** Whom a choice is made from, and among whom those were found. */
export interface ChoiceFacts extends Pickable {
  /** All that there are. */
  readonly all: readonly Place[];
  readonly route: Route;
  readonly now: number;
}

/** So many are remembered by name, and so many of those left alone: stories are kept long, and fleets may be large. */
const few = 4;

/** What is remembered of whom picks are made from. Made once for all of them. */
export function choiceOf({ places, rule, all, route, now }: ChoiceFacts): Choice {
  const endpoints = places.length <= few ? places.map(({ endpoint }) => endpoint) : [];
  const leftOut: LeftOut[] = [];
  if (places.length === all.length) return { among: places.length, endpoints, leftOut, rule };
  const kept = new Set(places);
  for (const place of all) {
    if (leftOut.length === few) break;
    const why = kept.has(place) ? undefined : place.whyNot(route, now);
    if (why !== undefined) leftOut.push({ address: place.endpoint.address, why });
  }
  return { among: places.length, endpoints, leftOut, rule };
}
