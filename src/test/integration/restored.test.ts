import { describe } from "vitest";
import { restoredSuite } from "../suites/restored-suite.ts";

describe("on SQLite", () => restoredSuite("sqlite"));
describe("on PostgreSQL", () => restoredSuite("postgres"));
