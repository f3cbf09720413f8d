import { requestAnswersSuite } from "../test/suites/request-answers-suite.ts";

requestAnswersSuite("sqlite");
