import { parkedSuite } from "../../test/suites/parked-suite.ts";

parkedSuite("sqlite");
