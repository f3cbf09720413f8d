import { describe } from "vitest";
import { workSharesSuite } from "../../test/suites/work-shares-suite.ts";

describe("shares of work on SQLite", () => workSharesSuite("sqlite"));
