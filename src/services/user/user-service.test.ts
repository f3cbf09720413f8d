import { userSuite } from "../../test/suites/user-suite.ts";

userSuite("sqlite");
