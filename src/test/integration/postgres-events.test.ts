import { describe } from "vitest";
import { publisherSuite } from "../suites/publisher-suite.ts";
import { workSharesSuite } from "../suites/work-shares-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("shares of work on PostgreSQL", () => workSharesSuite("postgres"));
describe("a service's events on PostgreSQL", () => publisherSuite("postgres"));
