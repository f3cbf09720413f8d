import { effects } from "./effects/effects.ts";
import { ejection } from "./ejection.ts";
import { leftovers } from "./leftovers.ts";
import { load } from "./load.ts";
import { outcomes } from "./outcomes.ts";
import type { Property } from "./property.ts";
import { recovery } from "./recovery.ts";
import { watches } from "./watches.ts";

/** All that has to hold in every world. */
export const properties: readonly Property[] = [outcomes, leftovers, load, recovery, ejection, watches, effects];
