import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140115_Events extends Migration {
  override name = "Migration20261121140115_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "order_cursors" ("source" varchar(100) not null, "slot" int not null, "position" bigint not null, primary key ("source", "slot"));`,
    );

    this.addSql(
      `create table "order_events" ("seq" bigserial primary key, "id" varchar(36) not null, "position" bigint null, "slot" int not null, "type" varchar(200) not null, "version" int not null, "subject" varchar(200) not null, "trace_parent" varchar(55) not null, "time" timestamptz(3) not null, "data_schema" varchar(200) not null, "data" bytea not null);`,
    );
    this.addSql(`alter table "order_events" add constraint "order_events_id_unique" unique ("id");`);
    this.addSql(`alter table "order_events" add constraint "order_events_position_unique" unique ("position");`);
    this.addSql(`create index "order_events_position_seq_index" on "order_events" ("position", "seq");`);
    this.addSql(`create index "order_events_subject_seq_index" on "order_events" ("subject", "seq");`);

    this.addSql(
      `create table "order_event_resends" ("slot" int not null, "next" bigint not null, "last" bigint not null, primary key ("slot"));`,
    );

    this.addSql(
      `create table "order_inbox" ("event_id" varchar(36) not null, "source" varchar(100) not null, "taken_at" timestamptz(3) not null, primary key ("event_id"));`,
    );
    this.addSql(`create index "order_inbox_source_index" on "order_inbox" ("source");`);

    this.addSql(
      `create table "order_parked_events" ("seq" bigserial primary key, "event_id" varchar(36) not null, "source" varchar(100) not null, "slot" int not null, "type" varchar(200) not null, "subject" varchar(200) not null, "envelope" bytea not null, "state" varchar(16) not null, "attempts" int not null, "reason" text not null, "parked_at" timestamptz(3) not null, "next_at" timestamptz(3) null);`,
    );
    this.addSql(
      `alter table "order_parked_events" add constraint "order_parked_events_event_id_unique" unique ("event_id");`,
    );
    this.addSql(
      `create index "order_parked_events_state_next_at_index" on "order_parked_events" ("state", "next_at");`,
    );
    this.addSql(`create index "order_parked_events_subject_seq_index" on "order_parked_events" ("subject", "seq");`);

    this.addSql(
      `create table "order_sagas" ("id" varchar(100) not null, "name" varchar(100) not null, "state" varchar(16) not null, "step" varchar(100) not null, "reason" text not null, "wake_at" timestamptz(3) null, "attempts" int not null, "history" jsonb not null, "started_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    );
    this.addSql(`create index "order_sagas_wake_at_index" on "order_sagas" ("wake_at");`);
    this.addSql(`create index "order_sagas_state_started_at_id_index" on "order_sagas" ("state", "started_at", "id");`);

    this.addSql(
      `create table "order_work_leases" ("work" varchar(120) not null, "holder" varchar(36) not null, "until" timestamptz(3) not null, primary key ("work"));`,
    );

    this.addSql(`alter table "order_request_ids" add "method" varchar(200) null, add "answer" bytea null;`);
    this.addSql(`create index "order_request_ids_created_at_index" on "order_request_ids" ("created_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "order_cursors" cascade;`);
    this.addSql(`drop table if exists "order_events" cascade;`);
    this.addSql(`drop table if exists "order_event_resends" cascade;`);
    this.addSql(`drop table if exists "order_inbox" cascade;`);
    this.addSql(`drop table if exists "order_parked_events" cascade;`);
    this.addSql(`drop table if exists "order_sagas" cascade;`);
    this.addSql(`drop table if exists "order_work_leases" cascade;`);

    this.addSql(`drop index "order_request_ids_created_at_index";`);
    this.addSql(`alter table "order_request_ids" drop column "method", drop column "answer";`);
  }
}
