import { placingSuite } from "../../test/suites/placing-suite.ts";

placingSuite("sqlite");
