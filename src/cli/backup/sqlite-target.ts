import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../base/message-of.ts";
import { isLocked } from "../../store/lock-wait.ts";
import { BackupError } from "./backup-error.ts";
import { sync } from "./manifest.ts";
import type { RestoreTarget, Restoring } from "./restore-target.ts";
import { countOf, sha256Of, tablesOf } from "./sqlite-backup.ts";

/**
 * A SQLite file as the target of a restore. While it is one, nobody else can open it: the file, or an empty one in its place, is
 * locked for good, and so is the file by which replicas that start wait for each other.
 */
export class SqliteTarget implements RestoreTarget {
  readonly #file: string;
  readonly #restoring: Restoring;
  readonly #held: DatabaseSync[] = [];
  #state: "open" | "prepared" | "committed" = "open";

  constructor(file: string, restoring: Restoring) {
    this.#file = file;
    this.#restoring = restoring;
  }

  async claim({ force }: { readonly force: boolean }): Promise<void> {
    mkdirSync(dirname(this.#file), { recursive: true });
    this.#hold(`${this.#file}.migrate`);
    try {
      const db = this.#hold(this.#file, "pragma locking_mode = exclusive; pragma journal_mode = delete;");
      const full = tablesOf(db).filter((name) => !name.endsWith("_migrations") && countOf(db, name) > 0);
      if (full.length > 0 && !force) throw notEmpty(this.#file, full);
    } catch (reason) {
      if (reason instanceof BackupError) throw reason;
      if (!force)
        throw new BackupError("NOT_EMPTY", `${this.#file} is no database (${messageOf(reason)}): --force replaces it`);
    }
  }

  async prepare(): Promise<void> {
    const draft = this.#draft;
    copyFileSync(this.#restoring.file, draft);
    this.#state = "prepared";
    chmodSync(draft, 0o600);
    if ((await sha256Of(draft)) !== this.#restoring.entry.sha256) {
      throw new BackupError("FILE_CORRUPT", `${draft} is not what ${this.#restoring.file} was: is the disk well?`);
    }
    using db = new DatabaseSync(draft);
    for (const sql of this.#restoring.afterwards) db.exec(sql);
    sync(draft);
  }

  async commit(): Promise<void> {
    this.#state = "committed";
    for (const end of ["", "-wal", "-shm", "-journal"])
      if (existsSync(this.#file + end)) renameSync(this.#file + end, this.#aside + end);
    renameSync(this.#draft, this.#file);
    sync(dirname(this.#file));
  }

  async undo(): Promise<void> {
    if (this.#state !== "committed") return;
    renameSync(this.#aside, this.#file);
    this.#state = "open";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#draft, { force: true });
    for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(this.#aside + end, { force: true });
    for (const db of this.#held) db.close();
    const isPlaceholder = this.#state !== "committed" && statSync(this.#file, { throwIfNoEntry: false })?.size === 0;
    if (isPlaceholder) rmSync(this.#file);
  }

  get #draft(): string {
    return `${this.#file}.restoring`;
  }

  get #aside(): string {
    return `${this.#file}.replaced`;
  }

  #hold(file: string, before = ""): DatabaseSync {
    const db = new DatabaseSync(file, { timeout: 0 });
    this.#held.push(db);
    try {
      db.exec(`${before}begin exclusive`);
      return db;
    } catch (reason) {
      if (!isLocked(reason)) throw reason;
      throw new BackupError("IN_USE", `${file} is open in another process: stop the services first`, { cause: reason });
    }
  }
}

/** What is said of a database that has rows. */
export function notEmpty(shown: string, tables: readonly string[]): BackupError {
  const advice = "restore into an empty system, or say --force to replace what is there";
  return new BackupError("NOT_EMPTY", `${shown} has rows in ${tables.join(", ")}: ${advice}`);
}
