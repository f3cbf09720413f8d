import { describe } from "vitest";
import { relaySuite } from "../../test/suites/relay-suite.ts";

describe("the way to a broker on SQLite", () => relaySuite("sqlite"));
