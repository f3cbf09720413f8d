import type { ManifestEntry } from "./manifest.ts";

/** A database into which one is restored: in two steps, so that several are restored together or not at all. */
export interface RestoreTarget extends AsyncDisposable {
  /** Lets nobody else in. Rejects when somebody is, or when there are rows and nobody said that they may go. */
  claim(options: { readonly force: boolean }): Promise<void>;
  /** Brings everything in place, but for the last step, which cannot fail for want of room or of sense. */
  prepare(): Promise<void>;
  /** The last step. */
  commit(): Promise<void>;
  /** Takes the last step back, where that can be done. */
  undo(): Promise<void>;
}

/** What is restored. */
export interface Restoring {
  readonly entry: ManifestEntry;
  /** The file in the backup. */
  readonly file: string;
  /** What is written into the database after it was restored, in the same step. */
  readonly afterwards: readonly string[];
}
