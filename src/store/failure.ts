/** What a driver of ours says of a statement that the database has not answered, or not as it should. */
export type FailureCode =
  /** The time that the call had for it is over. */
  | "STORE_LATE"
  /** No connection became free. */
  | "STORE_POOL"
  /** The connection was lost between COMMIT and its answer. */
  | "STORE_COMMIT_UNKNOWN"
  /** The database has rolled back what was to be committed, as a statement before had failed. */
  | "STORE_ROLLED_BACK";

/** A failure told by its code, like the database's own: MikroORM wraps errors, and keeps their properties only. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The call has no time left for the database. */
export function late(cause?: unknown): StoreFailure {
  return new StoreFailure("STORE_LATE", "the database did not answer within the call's deadline", { cause });
}
