import { subscriberSuite } from "../../test/suites/subscriber-suite.ts";

subscriberSuite("sqlite");
