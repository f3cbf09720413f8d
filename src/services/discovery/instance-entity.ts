import { defineEntity, p } from "@mikro-orm/core";

const InstanceSchema = defineEntity({
  name: "InstanceRow",
  tableName: "instances",
  properties: {
    id: p.string().length(128).primary(),
    /** The rest of the row is for discovery; these three are for people who look into the table. */
    name: p.string().length(100),
    host: p.string().length(253),
    port: p.integer(),
    term: p.enum(["kept-alive", "until-deregistered"] as const),
    probeAddress: p.string().length(500).nullable(),
    lapsedAt: p.datetime(3).nullable(),
    /** The instance as protojson: a field that the contract gains needs no column. */
    body: p.text(),
  },
});

/** A registration as it is kept over a restart. */
export class InstanceRow extends InstanceSchema.class {}
InstanceSchema.setClass(InstanceRow);

const StartSchema = defineEntity({
  name: "StartRow",
  tableName: "starts",
  properties: {
    /** Always 1: there is one row. */
    id: p.integer().primary().autoincrement(false),
    count: p.integer(),
  },
});

/** How often discovery has started over these rows: what keeps its versions from going back. */
export class StartRow extends StartSchema.class {}
StartSchema.setClass(StartRow);

/** Discovery's rows, as `openStore` takes them. */
export const discoveryRows = {
  name: "discovery",
  entities: [InstanceSchema, StartSchema],
  migrationsDir: `${import.meta.dirname}/migrations`,
};
