import { backupSuite } from "../suites/backup-suite.ts";

backupSuite("postgres");
