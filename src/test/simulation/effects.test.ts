import { test } from "vitest";
import { effects } from "./effects/effects.ts";
import { hold, manyWorldsMs } from "./hold.ts";

test(effects.says, () => hold(effects, 12), manyWorldsMs);
