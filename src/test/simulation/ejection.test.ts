import { test } from "vitest";
import { ejection } from "./ejection.ts";
import { hold, manyWorldsMs } from "./hold.ts";

test(ejection.says, () => hold(ejection, 50), manyWorldsMs);
