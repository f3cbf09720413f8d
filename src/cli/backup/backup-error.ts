/** What can be wrong with a backup, or with where it goes. */
export type BackupProblem =
  | "NO_BACKUP"
  | "BAD_MANIFEST"
  | "FORMAT_TOO_NEW"
  | "FILE_MISSING"
  | "FILE_UNKNOWN"
  | "FILE_CORRUPT"
  | "NO_DATABASE"
  | "OTHER_KIND"
  | "NOT_EMPTY"
  | "IN_USE"
  | "DISK_FULL"
  | "TOOL_MISSING"
  | "FAILED";

/** A backup or a restore that did not come to be. The message says what to do. */
export class BackupError extends Error {
  readonly problem: BackupProblem;

  constructor(problem: BackupProblem, message: string, options?: ErrorOptions) {
    super(problem === "FAILED" ? message : `${problem}: ${message}`, options);
    this.problem = problem;
  }
}

/** The same failure by the name of what it is; `where` is the folder that was written to. */
export function named(reason: unknown, where: string): Error {
  if (reason instanceof BackupError) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  if (/ENOSPC|EDQUOT|EFBIG|no space left|disk is full|File too large/i.test(message)) {
    return new BackupError("DISK_FULL", `${where} takes no more: ${message}; make room and try again`, {
      cause: reason,
    });
  }
  return new BackupError("FAILED", `${where}: ${message}`, { cause: reason });
}
