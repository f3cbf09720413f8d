import { discoverySuite } from "../../test/suites/discovery-suite.ts";

discoverySuite("sqlite");
