/** Where answers are kept. */
export interface AnswerPlace {
  /** A PostgreSQL URL, which several gateways may share; if empty, `gateway.db` in `dataDir`, for those of one machine. */
  readonly databaseUrl: string;
  readonly dataDir: string;
}
