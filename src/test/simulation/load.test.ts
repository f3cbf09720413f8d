import { test } from "vitest";
import { hold, manyWorldsMs } from "./hold.ts";
import { load } from "./load.ts";

test(load.says, () => hold(load, 100), manyWorldsMs);
