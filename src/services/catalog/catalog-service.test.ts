import { catalogSuite } from "../../test/suites/catalog-suite.ts";

catalogSuite("sqlite");
