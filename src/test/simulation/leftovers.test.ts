import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { leftovers } from "./leftovers.ts";

test(leftovers.says, () => hold(leftovers, 12), manyWorldsMs);
