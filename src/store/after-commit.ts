import type { SqlEntityManager } from "@mikro-orm/sql";

/** What is to be done once the transaction of each is committed; a transaction that is rolled back is forgotten. */
const waiting = new WeakMap<object, Set<() => void>>();

/**
 * Calls `listener` after the unit of work that `em` belongs to has been committed, and never if it is not. The same listener is
 * called once for a unit, however often it was added. It may not throw: the unit's work is done by then.
 */
export function afterCommit(em: SqlEntityManager, listener: () => void): void {
  const transaction = em.getTransactionContext<object>();
  if (transaction === undefined) return listener();
  const listeners = waiting.get(transaction);
  if (listeners === undefined) waiting.set(transaction, new Set([listener]));
  else listeners.add(listener);
}

/** The function that tells those who wait for the transaction of `em`: to be called when it is committed. */
export function committed(em: SqlEntityManager): () => void {
  const listeners = waiting.get(em.getTransactionContext<object>() ?? em);
  return () => {
    for (const listener of listeners ?? []) listener();
  };
}
