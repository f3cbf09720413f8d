import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { runDetached } from "../../call/context.ts";
import type { Store } from "../../store/orm.ts";
import { query, textsParameter, textsTable } from "../../store/query.ts";
import { isDue, type Saga } from "./saga.ts";
import type { SagaRow, SagaRows } from "./saga-entity.ts";

/** What the timers need. */
export interface SagaTimersOptions {
  readonly store: Store;
  /** The table of the sagas. */
  readonly rows: SagaRows;
  /** Those whose timers are looked after; rows of others are left alone. */
  readonly sagas: readonly Saga[];
  /** How often to look. Default 1000. */
  readonly pollMs?: number;
  /** The most that go off before looking again. Default 100. */
  readonly batch?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** How much replicas' calendars may differ before a timer counts as set in a future that has been taken back. */
const skewMs = 60_000;
/** How long a timer whose work failed is left alone. */
const retryMs = 5_000;

/**
 * Lets the timers of sagas go off: those that any replica has set, also before a restart. They lie in the rows, so any
 * replica may look after any of them, and a row lock lets one do it: where two look at once, the other finds nothing.
 * While the database is away they wait. A calendar that is set back delays a timer by no more than its own span.
 */
export function startSagaTimers(options: SagaTimersOptions): AsyncDisposable {
  const { clock = systemClock, log = silentLogger, pollMs = 1_000 } = options;
  const stopped = new AbortController();
  const turn = async () => {
    while (!stopped.signal.aborted) {
      const full = await fireDue({ ...options, signal: stopped.signal }).catch((error: unknown) => {
        log.warn("timers of sagas wait, because the database cannot be asked", { error });
        return false;
      });
      if (!full) await clock.sleep(pollMs, stopped.signal).catch(() => {}); // stopped
    }
  };
  const ended = runDetached(turn);
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await ended;
    },
  };
}

/** Lets a batch of those go off whose time has come. Resolves with whether there may be more. */
export async function fireDue(options: SagaTimersOptions & { readonly signal?: AbortSignal }): Promise<boolean> {
  const { store, rows, sagas, batch = 100, clock = systemClock, signal } = options;
  const now = clock.wall();
  const names = sagas.map(({ plan }) => plan.name);
  const due = await store.read((em) => dueSagas(em, rows, { names, now, beyond: now + longestMs(sagas), batch }));
  for (const row of due) {
    if (signal?.aborted) return false;
    const saga = sagas.find(({ plan }) => plan.name === row.name);
    if (saga) await fireOne(options, saga, row.id);
  }
  return due.length === batch;
}

interface Due {
  readonly names: readonly string[];
  readonly now: number;
  /** Later than any timer can be. */
  readonly beyond: number;
  readonly batch: number;
}

/** Those whose time has come: a statement whose text is always the same, as each replica asks all the time. */
async function dueSagas(em: SqlEntityManager, { tableName }: SagaRows, { names, now, beyond, batch }: Due) {
  const due = `(wake_at <= ? or wake_at > ?) and name in (select value from ${textsTable(em)})`;
  const sql = `select id, name from "${tableName}" where ${due} order by wake_at limit ${batch}`;
  const parameters = [new Date(now), new Date(beyond), textsParameter(names)];
  return (await query<Pick<SagaRow, "id" | "name">>(em, sql, parameters)).rows;
}

/** What fails is left for later, so that those behind it get their turn. */
async function fireOne(options: SagaTimersOptions, saga: Saga, id: string): Promise<void> {
  const { store, clock = systemClock, log = silentLogger } = options;
  try {
    await store.unit((em) => fire(saga, { em, id, now: clock.wall() }));
  } catch (reason) {
    log.warn("the timer of a saga went off in vain", { saga: saga.plan.name, id, error: reason });
    await store.unit((em) => postpone(saga, { em, id, now: clock.wall() }));
  }
}

type Moment = Parameters<Saga["timeOut"]>[0];

async function fire(saga: Saga, moment: Moment): Promise<void> {
  await saga.plan.lock?.(moment.em, moment.id);
  const row = await saga.find(moment, "skip");
  if (row === undefined) return; // another replica has it
  if (isDue(row, moment.now)) return saga.timeOut(moment, row);
  if (isStray(saga, row, moment.now)) {
    await saga.setTimer(moment, row, saga.stepOf(row.step)?.timeoutMs ?? 0);
  }
}

async function postpone(saga: Saga, moment: Moment): Promise<void> {
  const row = await saga.find(moment, "skip");
  if (row === undefined || !isDue(row, moment.now)) return;
  await saga.setTimer(moment, row, retryMs);
}

/** Whether a timer is set for later than it can be: the calendar was set back since. */
function isStray(saga: Saga, { wakeAt, step }: SagaRow, now: number): boolean {
  if (!wakeAt) return false;
  return wakeAt.getTime() > now + (saga.stepOf(step)?.timeoutMs ?? 0) + skewMs;
}

function longestMs(sagas: readonly Saga[]): number {
  const spans = sagas.flatMap(({ plan }) => Object.values(plan.steps).map(({ timeoutMs = 0 }) => timeoutMs));
  return Math.max(retryMs, ...spans) + skewMs;
}
