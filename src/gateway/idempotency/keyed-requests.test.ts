import { vi } from "vitest";
import { idempotencySuite } from "../../test/suites/idempotency-suite.ts";
import { schemaSuite } from "../../test/suites/schema-suite.ts";
import { gatewayRows } from "./answer-entity.ts";

vi.setConfig({ testTimeout: 20_000 }); // a real database, on a machine that may be busy

schemaSuite("sqlite", gatewayRows);
idempotencySuite("sqlite");
