import { backupSuite } from "../../test/suites/backup-suite.ts";

backupSuite("sqlite");
