/** Its number among PostgreSQL's advisory locks: any, but its own. */
const writersLock = 722_100;

/** What every transaction begins with that may change something: many hold it at once. */
export const shareWritersLock = `select pg_advisory_xact_lock_shared(${writersLock})`;

/**
 * What somebody begins with who wants an instant at which nobody writes: it waits for the transactions that are under way, and those
 * that begin meanwhile wait behind it. Table locks alone would wait crosswise with those who hold one table and want the next.
 */
export const takeWritersLock = `select pg_advisory_xact_lock(${writersLock})`;
