import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { watches } from "./watches.ts";

test(watches.says, () => hold(watches, 700), manyWorldsMs);
