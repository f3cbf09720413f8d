import { subscriptionSuite } from "../suites/subscription-suite.ts";

subscriptionSuite("postgres");
