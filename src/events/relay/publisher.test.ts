import { describe } from "vitest";
import { publisherSuite } from "../../test/suites/publisher-suite.ts";

describe("a service's events on SQLite", () => publisherSuite("sqlite"));
