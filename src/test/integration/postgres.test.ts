import { describe } from "vitest";
import { gatewayRows } from "../../gateway/idempotency/answer-entity.ts";
import { catalogSuite } from "../suites/catalog-suite.ts";
import { idempotencySuite } from "../suites/idempotency-suite.ts";
import { orderSuite } from "../suites/order-suite.ts";
import { requestAnswersSuite } from "../suites/request-answers-suite.ts";
import { schemaSuite } from "../suites/schema-suite.ts";
import { userSuite } from "../suites/user-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("users on PostgreSQL", () => userSuite("postgres"));
describe("the catalog on PostgreSQL", () => catalogSuite("postgres"));
describe("orders on PostgreSQL", () => orderSuite("postgres"));
describe("answers that are kept on PostgreSQL", () => requestAnswersSuite("postgres"));
describe("the gateway's answers on PostgreSQL", () => {
  schemaSuite("postgres", gatewayRows);
  idempotencySuite("postgres");
});
