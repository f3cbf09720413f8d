import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140117_Events extends Migration {
  override name = "Migration20261121140117_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "catalog_cursors" ("source" varchar(100) not null, "slot" int not null, "position" bigint not null, primary key ("source", "slot"));`,
    );

    this.addSql(
      `create table "catalog_events" ("seq" bigserial primary key, "id" varchar(36) not null, "position" bigint null, "slot" int not null, "type" varchar(200) not null, "version" int not null, "subject" varchar(200) not null, "trace_parent" varchar(55) not null, "time" timestamptz(3) not null, "data_schema" varchar(200) not null, "data" bytea not null);`,
    );
    this.addSql(`alter table "catalog_events" add constraint "catalog_events_id_unique" unique ("id");`);
    this.addSql(`alter table "catalog_events" add constraint "catalog_events_position_unique" unique ("position");`);
    this.addSql(`create index "catalog_events_position_seq_index" on "catalog_events" ("position", "seq");`);
    this.addSql(`create index "catalog_events_subject_seq_index" on "catalog_events" ("subject", "seq");`);

    this.addSql(
      `create table "catalog_event_resends" ("slot" int not null, "next" bigint not null, "last" bigint not null, primary key ("slot"));`,
    );

    this.addSql(
      `create table "catalog_inbox" ("event_id" varchar(36) not null, "source" varchar(100) not null, "taken_at" timestamptz(3) not null, primary key ("event_id"));`,
    );
    this.addSql(`create index "catalog_inbox_source_index" on "catalog_inbox" ("source");`);

    this.addSql(
      `create table "catalog_parked_events" ("seq" bigserial primary key, "event_id" varchar(36) not null, "source" varchar(100) not null, "slot" int not null, "type" varchar(200) not null, "subject" varchar(200) not null, "envelope" bytea not null, "state" varchar(16) not null, "attempts" int not null, "reason" text not null, "parked_at" timestamptz(3) not null, "next_at" timestamptz(3) null);`,
    );
    this.addSql(
      `alter table "catalog_parked_events" add constraint "catalog_parked_events_event_id_unique" unique ("event_id");`,
    );
    this.addSql(
      `create index "catalog_parked_events_state_next_at_index" on "catalog_parked_events" ("state", "next_at");`,
    );
    this.addSql(
      `create index "catalog_parked_events_subject_seq_index" on "catalog_parked_events" ("subject", "seq");`,
    );

    this.addSql(
      `create table "catalog_work_leases" ("work" varchar(120) not null, "holder" varchar(36) not null, "until" timestamptz(3) not null, primary key ("work"));`,
    );

    this.addSql(
      `create table "reservations" ("order_id" varchar(36) not null, "sku" varchar(64) not null, "qty" int not null, "state" varchar(16) not null, "reason" varchar(200) not null default '', "short_of" varchar(64) not null default '', "updated_at" timestamptz(3) not null, primary key ("order_id", "sku"));`,
    );
    this.addSql(`create index "reservations_sku_state_index" on "reservations" ("sku", "state");`);

    this.addSql(`alter table "catalog_request_ids" add "method" varchar(200) null, add "answer" bytea null;`);
    this.addSql(`create index "catalog_request_ids_created_at_index" on "catalog_request_ids" ("created_at");`);

    this.addSql(`alter table "products" add "received" int not null default 0;`);
    // What there is was received, as no order has kept any so far.
    this.addSql(`update products set received = stock;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "catalog_cursors" cascade;`);
    this.addSql(`drop table if exists "catalog_events" cascade;`);
    this.addSql(`drop table if exists "catalog_event_resends" cascade;`);
    this.addSql(`drop table if exists "catalog_inbox" cascade;`);
    this.addSql(`drop table if exists "catalog_parked_events" cascade;`);
    this.addSql(`drop table if exists "catalog_work_leases" cascade;`);
    this.addSql(`drop table if exists "reservations" cascade;`);

    this.addSql(`drop index "catalog_request_ids_created_at_index";`);
    this.addSql(`alter table "catalog_request_ids" drop column "method", drop column "answer";`);

    this.addSql(`alter table "products" drop column "received";`);
  }
}
