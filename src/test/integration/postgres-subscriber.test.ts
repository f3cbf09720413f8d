import { subscriberSuite } from "../suites/subscriber-suite.ts";

subscriberSuite("postgres");
