import { describe } from "vitest";
import { placingSuite } from "../suites/placing-suite.ts";
import { sagaSuite } from "../suites/saga-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("sagas on PostgreSQL", () => sagaSuite("postgres"));
describe("placing orders on PostgreSQL", () => placingSuite("postgres"));
