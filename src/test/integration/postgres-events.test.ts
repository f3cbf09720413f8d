import { describe } from "vitest";
import { workSharesSuite } from "../suites/work-shares-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("shares of work on PostgreSQL", () => workSharesSuite("postgres"));
