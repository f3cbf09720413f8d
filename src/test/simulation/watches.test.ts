import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { watches } from "./watches.ts";

test(watches.says, () => hold(watches, 1_100), manyWorldsMs);
