import { inboxSuite } from "../suites/inbox-suite.ts";

inboxSuite("postgres");
