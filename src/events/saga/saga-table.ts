import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import { query, queryLater, wallOf } from "../../store/query.ts";
import type { SagaRow, SagaRows, SagaState, SagaTransition } from "./saga-entity.ts";

/** How a row is kept from others while it is looked at. */
export type SagaLock = "wait" | "skip";

/**
 * The rows of sagas, each read and written by one statement whose text is always the same: every order that is placed
 * comes by here twice.
 */
export function sagaTable(em: SqlEntityManager, { tableName }: SagaRows) {
  const table = `"${tableName}"`;
  return {
    /** Inserts a row unless there is one of its id. */
    async insert(row: Omit<SagaRow, "version">): Promise<void> {
      const columns = "id, name, state, step, reason, wake_at, attempts, history, started_at, updated_at, version";
      const sql = `insert into ${table} (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) on conflict (id) do nothing`;
      const { id, name, state, step, reason, wakeAt, attempts, history, startedAt, updatedAt } = row;
      const json = JSON.stringify(history);
      const values = [id, name, state, step, reason, wakeAt ?? null, attempts, json, startedAt, updatedAt];
      await queryLater(em, sql, values);
    },

    /** The row, kept from others until the transaction ends; none that somebody else keeps, where that is to be skipped. */
    async lock(id: string, name: string, lock: SagaLock): Promise<SagaRow | undefined> {
      const sqlite = em.getPlatform() instanceof SqlitePlatform;
      const how = sqlite ? "" : lock === "wait" ? " for update" : " for update skip locked";
      const { rows } = await query<RawSaga>(em, `select * from ${table} where id = ? and name = ?${how}`, [id, name]);
      return rows[0] && fromRaw(rows[0]);
    },

    /** Writes where a saga stands now. Its row is locked. */
    async update(row: SagaRow): Promise<void> {
      const columns = "state = ?, step = ?, reason = ?, wake_at = ?, attempts = ?, history = ?, updated_at = ?";
      const sql = `update ${table} set ${columns}, version = version + 1 where id = ?`;
      const { id, state, step, reason, wakeAt, attempts, history, updatedAt } = row;
      const json = JSON.stringify(history);
      await queryLater(em, sql, [state, step, reason, wakeAt ?? null, attempts, json, updatedAt, id]);
    },
  };
}

/** As the databases answer: JSON and dates are text from one and values from the other. */
interface RawSaga {
  readonly id: string;
  readonly name: string;
  readonly state: SagaState;
  readonly step: string;
  readonly reason: string;
  readonly wake_at: number | string | Date | null;
  readonly attempts: number;
  readonly history: string | readonly SagaTransition[];
  readonly started_at: number | string | Date;
  readonly updated_at: number | string | Date;
  readonly version: number;
}

function fromRaw(raw: RawSaga): SagaRow {
  const { id, name, state, step, reason, wake_at, attempts, history, version } = raw;
  return {
    ...{ id, name, state, step, reason, attempts, version },
    wakeAt: wake_at === null ? null : new Date(wallOf(wake_at)),
    history: typeof history === "string" ? (JSON.parse(history) as readonly SagaTransition[]) : history,
    startedAt: new Date(wallOf(raw.started_at)),
    updatedAt: new Date(wallOf(raw.updated_at)),
  };
}
