import { inboxSuite } from "../../test/suites/inbox-suite.ts";

inboxSuite("sqlite");
