import type { ConnectError, ServiceImpl } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { failedPrecondition, notFound } from "../../call/errors.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, type Page, readPage } from "../../store/page-token.ts";
import type { SagaMoment } from "./define-saga.ts";
import type { Saga } from "./saga.ts";
import type { SagaRow, SagaRows, SagaState } from "./saga-entity.ts";
import { statesAskedFor, toProto } from "./saga-mapping.ts";
import { hasEnded } from "./saga-moves.ts";

/** What the service needs. */
export interface SagaServiceOptions {
  readonly store: Store;
  /** The table of the sagas. */
  readonly rows: SagaRows;
  /** What may be done with them. */
  readonly sagas: readonly Saga[];
  readonly clock?: Clock;
}

const domain = "heddle";
const defaultReason = "cancelled by hand";

/** heddle.saga.v1.SagaService: the sagas of one service, for those who look after it. Requests are already valid. */
export function sagaService(options: SagaServiceOptions): ServiceImpl<typeof SagaService> {
  const { store, rows } = options;
  return {
    async listSagas(request) {
      const scope = `sagas in state ${request.state}`;
      const page = readPage(request, scope);
      const found = await store.read((em) => list({ em, rows, page, states: statesAskedFor(request.state) }));
      const cut = cutPage(found, page, scope, ({ startedAt, id }) => `${startedAt.getTime()}/${id}`);
      return { sagas: cut.rows.map((row) => toProto(row)), nextPageToken: cut.nextPageToken };
    },

    async getSaga({ id }) {
      const row = await store.read((em) => em.findOne(rows, { id }));
      return { saga: toProto(row ?? missing(id), { history: true }) };
    },

    async retrySaga({ id }) {
      const row = await change(options, id, (saga, moment) => saga.retry(moment));
      return { saga: toProto(row, { history: true }) };
    },

    async cancelSaga({ id, reason }) {
      const row = await change(options, id, async (saga, moment, before) => {
        if (before.state === "stuck" && saga.stepOf(before.step)?.takesBack) {
          return saga.compensated(moment, { reason: `${before.reason}; ${reason || defaultReason}` });
        }
        if (before.state === "compensating") return true;
        if (saga.plan.cancel === undefined) throw refused(before, "cannot be taken back", "SAGA_NOT_CANCELLABLE");
        await saga.plan.cancel({ ...moment, reason: reason || defaultReason });
        return true;
      });
      return { saga: toProto(row, { history: true }) };
    },
  };
}

/** Changes a saga that has not ended, in one unit, and returns its row as it is then. */
function change(
  { store, rows, sagas, clock = systemClock }: SagaServiceOptions,
  id: string,
  act: (saga: Saga, moment: SagaMoment, before: SagaRow) => Promise<boolean>,
): Promise<SagaRow> {
  return store.unit(async (em) => {
    const { name } = (await em.findOne(rows, { id }, { fields: ["name"] })) ?? missing(id);
    const saga = sagas.find(({ plan }) => plan.name === name);
    if (saga === undefined) throw refused({ id, name }, "is of a kind that this version does not know", "SAGA_UNKNOWN");
    const moment = { em, id, now: clock.wall() };
    await saga.plan.lock?.(em, id);
    const row = (await saga.find(moment)) ?? missing(id);
    if (hasEnded(row.state)) throw refused(row, `has ended, ${row.state}`, "SAGA_ENDED");
    await act(saga, moment, row);
    return (await saga.find(moment)) ?? missing(id);
  });
}

interface List {
  readonly em: SqlEntityManager;
  readonly rows: SagaRows;
  readonly page: Page;
  readonly states: readonly SagaState[];
}

/** One row more than the page holds, oldest first. */
function list({ em, rows, page, states }: List): Promise<SagaRow[]> {
  const [time = "", ...rest] = (page.after ?? "").split("/");
  const startedAt = new Date(Number(time));
  const later = { $or: [{ startedAt: { $gt: startedAt } }, { startedAt, id: { $gt: rest.join("/") } }] };
  const where = { state: { $in: [...states] }, ...(page.after !== undefined && later) };
  return em.find(rows, where, { orderBy: [{ startedAt: "asc" }, { id: "asc" }], limit: page.limit + 1 });
}

function missing(id: string): never {
  throw notFound("saga", id, domain);
}

function refused({ id, name }: Pick<SagaRow, "id" | "name">, why: string, reason: string): ConnectError {
  return failedPrecondition(`the saga ${name} of ${id} ${why}`, { reason, domain, metadata: { saga: id } });
}
