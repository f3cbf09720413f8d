import { orderSuite } from "../../test/suites/order-suite.ts";

orderSuite("sqlite");
