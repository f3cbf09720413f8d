import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Store } from "../../store/orm.ts";
import { type Claim, claimOf, type KeepLimits, type KeptAnswer, type KnownKey } from "./claim.ts";

/** The table as statements see it. Integers of 64 bits come as text from PostgreSQL, and bytes as Buffers. */
interface Tables {
  idempotent_answers: {
    scope: string;
    fingerprint: string;
    holder: string;
    lease_ends_at: number | string;
    status: number;
    header: string;
    body: Uint8Array | null;
    body_bytes: number;
    ends_at: number | string;
  };
}

/** One request that comes with a key. */
export interface KeyedRequest {
  /** Who, how, where, and with which key. */
  readonly scope: string;
  /** With what. */
  readonly fingerprint: string;
  /** Told from all others that come with the same key. */
  readonly holder: string;
}

/** Times of keys, in milliseconds. */
export interface KeyTimes {
  readonly now: number;
  /** How long a holder may be silent. */
  readonly leaseMs: number;
  /** How long an answer is kept. */
  readonly keepMs: number;
}

/** Rows that are removed at a time, so that nobody who writes has to wait for long. */
const batch = 500;

/**
 * Keys and their answers, as all gateways that share a database see them. Statements carry their values as parameters, as
 * MikroORM's own do not: bodies are large, and statements are remembered.
 */
export function answerRows(store: Store) {
  return {
    /** Takes the key, or says who was first: of all who come at once, one is to do the work. */
    claim: (request: KeyedRequest, times: KeyTimes): Promise<Claim> => store.unit((em) => claim(em, request, times)),

    /** Says that the holder is still at it. */
    renew: ({ scope, holder }: KeyedRequest, leaseEndsAt: number): Promise<void> =>
      store.unit(async (em) => {
        const update = rows(em).updateTable("idempotent_answers").set({ lease_ends_at: leaseEndsAt });
        await update.where("scope", "=", scope).where("holder", "=", holder).execute();
      }),

    /** Keeps the answer, unless another has taken the key over meanwhile. */
    finish: ({ scope, holder }: KeyedRequest, answer: KeptAnswer): Promise<void> =>
      store.unit(async (em) => {
        const update = rows(em)
          .updateTable("idempotent_answers")
          .set({ ...columnsOf(answer), holder: "" });
        await update.where("scope", "=", scope).where("holder", "=", holder).execute();
      }),

    /** Lets go of the key: whoever comes next does the work, and may come with another request. */
    release: ({ scope, holder }: KeyedRequest): Promise<void> =>
      store.unit(async (em) => {
        const update = rows(em)
          .updateTable("idempotent_answers")
          .set({ holder: "", fingerprint: "", lease_ends_at: 0 });
        await update.where("scope", "=", scope).where("holder", "=", holder).execute();
      }),

    /** Removes what is over, and then the oldest until no more is left than there may be; how many of those it were. */
    sweep: async (now: number, limits: KeepLimits): Promise<number> => {
      while ((await store.unit((em) => removeOldest(em, now))) === batch);
      let early = 0;
      while (await store.read((em) => isOver(em, limits))) {
        const removed = await store.unit((em) => removeOldest(em, Number.MAX_SAFE_INTEGER));
        early += removed;
        if (removed === 0) break;
      }
      return early;
    },
  };
}

/** What `answerRows` makes. */
export type AnswerRows = ReturnType<typeof answerRows>;

const rows = (em: SqlEntityManager) => em.getKysely<Tables>();

async function claim(em: SqlEntityManager, request: KeyedRequest, times: KeyTimes): Promise<Claim> {
  const { now, leaseMs, keepMs } = times;
  const newEndsAt = now + keepMs;
  const row = { ...request, lease_ends_at: now + leaseMs, status: 0, header: "[]", body: null, body_bytes: 0 };
  const insert = rows(em)
    .insertInto("idempotent_answers")
    .values({ ...row, ends_at: newEndsAt });
  const { numInsertedOrUpdatedRows = 0n } = await insert
    .onConflict((conflict) => conflict.column("scope").doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 1n) return { kind: "work", endsAt: newEndsAt };
  const known = await find(em, request.scope);
  if (known === undefined) return { kind: "busy" }; // removed this very moment: who comes again finds it free
  const claimed = claimOf(known, { fingerprint: request.fingerprint, now, newEndsAt });
  if (claimed.kind !== "work") return claimed;
  const { numUpdatedRows } = await rows(em)
    .updateTable("idempotent_answers")
    .set({ ...row, ends_at: claimed.endsAt })
    .where("scope", "=", request.scope)
    .where("holder", "=", known.holder) // of several who take over, one does
    .where("lease_ends_at", "=", known.leaseEndsAt)
    .executeTakeFirst();
  return numUpdatedRows === 1n ? claimed : { kind: "busy" };
}

async function find(em: SqlEntityManager, scope: string): Promise<KnownKey | undefined> {
  const query = rows(em).selectFrom("idempotent_answers").selectAll();
  const row = await query.where("scope", "=", scope).executeTakeFirst();
  if (row === undefined) return undefined;
  const { fingerprint, holder, status, body } = row;
  const header = JSON.parse(row.header) as KeptAnswer["header"];
  const answer = status === 0 ? undefined : { status, header, body: body ?? undefined };
  return { fingerprint, holder, leaseEndsAt: Number(row.lease_ends_at), endsAt: Number(row.ends_at), answer };
}

function columnsOf({ status, header, body }: KeptAnswer) {
  const bytes = body === undefined ? null : Buffer.from(body.buffer, body.byteOffset, body.length); // as both drivers take it
  return { status, header: JSON.stringify(header), body: bytes, body_bytes: body?.length ?? 0 };
}

/** Removes up to a batch of what ends by `endsAt`, the oldest first; how many. */
async function removeOldest(em: SqlEntityManager, endsAt: number): Promise<number> {
  const { numDeletedRows } = await rows(em)
    .deleteFrom("idempotent_answers")
    .where("scope", "in", (select) =>
      select
        .selectFrom("idempotent_answers")
        .select("scope")
        .where("ends_at", "<=", endsAt)
        .orderBy("ends_at")
        .limit(batch),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

async function isOver(em: SqlEntityManager, { maxRows, maxBytes }: KeepLimits): Promise<boolean> {
  const query = rows(em).selectFrom("idempotent_answers");
  const { count, bytes } = await query
    .select(({ fn }) => [fn.countAll().as("count"), fn.sum("body_bytes").as("bytes")])
    .executeTakeFirstOrThrow();
  return Number(count) > maxRows || Number(bytes ?? 0) > maxBytes;
}
