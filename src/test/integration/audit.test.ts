import { auditSuite } from "../suites/audit-suite.ts";

auditSuite("postgres");
