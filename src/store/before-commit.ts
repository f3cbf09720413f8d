import type { SqlEntityManager } from "@mikro-orm/sql";

/**
 * Does `work` in the transaction of `em` as the last thing before it commits: for what may be written together at its
 * end. If it fails, nothing of the transaction is written.
 */
export function beforeCommit(em: SqlEntityManager, work: () => Promise<void>): void {
  if (!em.isInTransaction()) throw new TypeError("beforeCommit needs the em of a transaction");
  // Each transaction has an event manager of its own, which the forks that share the transaction share, too.
  em.getEventManager().registerSubscriber({ beforeTransactionCommit: work });
}
