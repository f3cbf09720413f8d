import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { outcomes } from "./outcomes.ts";

test(outcomes.says, () => hold(outcomes, 500), manyWorldsMs);
