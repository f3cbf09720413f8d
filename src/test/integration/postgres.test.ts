import { describe } from "vitest";
import { catalogSuite } from "../suites/catalog-suite.ts";
import { orderSuite } from "../suites/order-suite.ts";
import { userSuite } from "../suites/user-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("users on PostgreSQL", () => userSuite("postgres"));
describe("the catalog on PostgreSQL", () => catalogSuite("postgres"));
describe("orders on PostgreSQL", () => orderSuite("postgres"));
