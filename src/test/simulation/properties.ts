import { outcomes } from "./outcomes.ts";
import type { Property } from "./property.ts";
import { watches } from "./watches.ts";

/** All that has to hold in every world. */
export const properties: readonly Property[] = [outcomes, watches];
