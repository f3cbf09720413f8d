import type { SqlEntityManager } from "@mikro-orm/sql";

/**
 * Calls `told` once the transaction of `em` has committed, and never if it does not: for what may be said only when it is
 * true, such as waking those who wait for the change. It is part of no transaction any more, so it must not fail; what
 * it throws is dropped.
 */
export function afterCommit(em: SqlEntityManager, told: () => void): void {
  if (!em.isInTransaction()) throw new TypeError("afterCommit needs the em of a transaction");
  // Each transaction has an event manager of its own, which the forks that share the transaction share, too.
  em.getEventManager().registerSubscriber({
    afterTransactionCommit() {
      try {
        told();
      } catch {
        // The change is written: that somebody could not be told of it does not unmake it.
      }
    },
  });
}
