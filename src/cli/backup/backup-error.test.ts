import { expect, test } from "vitest";
import { BackupError, named } from "./backup-error.ts";

test.each([
  "database or disk is full", // SQLite
  "pg_dump failed: pg_dump: error: could not write to output file: No space left on device",
  "ENOSPC: no space left on device, write",
])("a disk that takes no more has a name: %s", (message) => {
  const error = named(new Error(message), "/backups");
  expect(error).toMatchObject({
    problem: "DISK_FULL",
    message: expect.stringMatching(/^DISK_FULL: \/backups takes no more/),
  });
});

test("what has a name keeps it, and what has none is told with where it happened", () => {
  const known = new BackupError("IN_USE", "x");
  expect(named(known, "/backups")).toBe(known);
  expect(named(new Error("no such thing"), "/backups").message).toBe("/backups: no such thing");
});
