import { sagaSuite } from "../../test/suites/saga-suite.ts";

sagaSuite("sqlite");
