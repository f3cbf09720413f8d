import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { recovery } from "./recovery.ts";

test(recovery.says, () => hold(recovery, 250), manyWorldsMs);
