import { defineEntity, p } from "@mikro-orm/core";

const AnswerSchema = defineEntity({
  name: "IdempotentAnswer",
  tableName: "idempotent_answers",
  properties: {
    /** Caller, method, path and key, as one hash: what the key stands for. */
    scope: p.string().length(43).primary(),
    /** Query, content type and body, as one hash: what may not change. */
    fingerprint: p.string().length(43),
    /** Which gateway is at it, as whichever of its requests; empty once there is an answer. */
    holder: p.string().length(36),
    /** Until when that gateway is believed to be alive, in milliseconds since the epoch. */
    leaseEndsAt: p.bigint("bigint"),
    /** The HTTP status of the answer; 0 as long as there is none. */
    status: p.integer(),
    /** The answer's headers, as JSON: pairs of name and value. */
    header: p.text(),
    /** The answer's body; null as long as there is none, and of an answer that is too long to be kept. */
    body: p.blob().nullable(),
    /** Length of the body. */
    bodyBytes: p.integer(),
    /** When it is forgotten, in milliseconds since the epoch. */
    endsAt: p.bigint("bigint"),
  },
  indexes: [{ properties: ["endsAt"] }],
});

/** The gateway's rows, as `openStore` takes them. */
export const gatewayRows = {
  name: "gateway",
  entities: [AnswerSchema],
  migrationsDir: `${import.meta.dirname}/migrations`,
};
