import { subscriptionSuite } from "../../test/suites/subscription-suite.ts";

subscriptionSuite("sqlite");
