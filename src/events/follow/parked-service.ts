import type { ServiceImpl } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { ParkedState, type SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { failedPrecondition, notFound } from "../../call/errors.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { eventKey } from "../event-key.ts";
import type { OpenInbox } from "../inbox/open-inbox.ts";
import type { ParkedRow } from "../inbox/parked.ts";
import { tryParked } from "../inbox/try-parked.ts";
import { toParkedEvent, withoutData } from "./parked-view.ts";

type Parked = Pick<
  ServiceImpl<typeof SubscriptionService>,
  "listParkedEvents" | "getParkedEvent" | "replayParkedEvent" | "skipParkedEvent"
>;

/** How the rows say it. */
const states: Readonly<Partial<Record<ParkedState, ParkedRow["state"]>>> = {
  [ParkedState.WAITING]: "waiting",
  [ParkedState.DEAD]: "dead",
};

/** What may be asked of, and done to, events that could not be handled. */
export function parkedService({ parts, wake }: Pick<OpenInbox, "parts" | "wake">): Parked {
  const { store, rows, log } = parts;
  const find = (em: SqlEntityManager, id: string) => findParked(em, parts, id);
  return {
    async listParkedEvents(request) {
      const scope = `parked events ${request.state}`;
      const page = readPage(request, scope);
      const state = states[request.state];
      const where = state === undefined ? {} : { state };
      const after = page.after === undefined ? {} : { seq: { $gt: BigInt(page.after) } };
      const found = await store.read((em) =>
        em.find(rows.parked, { ...where, ...after }, { orderBy: { seq: "asc" }, limit: page.limit + 1 }),
      );
      const cut = cutPage(found, page, scope, ({ seq }) => String(seq));
      return { parkedEvents: cut.rows.map(toParkedEvent).map(withoutData), nextPageToken: cut.nextPageToken };
    },

    async getParkedEvent({ id }) {
      return { parkedEvent: toParkedEvent(await store.read((em) => find(em, id))) };
    },

    async replayParkedEvent({ id }) {
      const { seq, subject } = await store.read((em) => find(em, id));
      const tried = await tryParked(parts, seq);
      wake();
      if (tried.kind === "behind") throw isBehind(id, subject);
      if (tried.kind === "failed") throw failedAgain(id, tried.reason);
      return {};
    },

    async skipParkedEvent({ id }) {
      const { eventId, source, type, subject, reason } = await store.unit(async (em) => {
        const row = await find(em, id);
        await em.nativeDelete(rows.parked, { seq: row.seq });
        return row;
      });
      log.warn("an event was given up for good, as somebody asked", { event: eventId, source, type, subject, reason });
      wake();
      return {};
    },
  };
}

/** Ids that fit no column were written as their digest; either is understood. */
async function findParked(em: SqlEntityManager, parts: OpenInbox["parts"], id: string): Promise<ParkedRow> {
  const keys = parts.known.sources.map((source) => eventKey({ id, source }));
  const found = await em.findOne(parts.rows.parked, { eventId: { $in: [id, ...keys] } }, { disableIdentityMap: true });
  if (found === null) throw notFound("parked event", id);
  return found;
}

function isBehind(id: string, subject: string) {
  const message = `${id} has to wait: an earlier event of ${subject} waits before it; replay or skip that one first`;
  return failedPrecondition(message, { reason: "EVENT_BEHIND", domain: "heddle", metadata: { id, subject } });
}

function failedAgain(id: string, why: string) {
  const info = { reason: "EVENT_FAILED", domain: "heddle", metadata: { id } };
  return failedPrecondition(`${id} could not be handled again: ${why}`, info);
}
