import { inboxSuite } from "../suites/inbox-suite.ts";
import { parkedSuite } from "../suites/parked-suite.ts";

inboxSuite("postgres");
parkedSuite("postgres");
