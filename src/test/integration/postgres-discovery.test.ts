import { describe } from "vitest";
import { discoverySuite } from "../suites/discovery-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("discovery on PostgreSQL", () => discoverySuite("postgres"));
