import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140112_Events extends Migration {
  override name = "Migration20261121140112_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "user_cursors" ("source" varchar(100) not null, "slot" int not null, "position" bigint not null, primary key ("source", "slot"));`,
    );

    this.addSql(
      `create table "user_events" ("seq" bigserial primary key, "id" varchar(36) not null, "position" bigint null, "slot" int not null, "type" varchar(200) not null, "version" int not null, "subject" varchar(200) not null, "trace_parent" varchar(55) not null, "time" timestamptz(3) not null, "data_schema" varchar(200) not null, "data" bytea not null);`,
    );
    this.addSql(`alter table "user_events" add constraint "user_events_id_unique" unique ("id");`);
    this.addSql(`alter table "user_events" add constraint "user_events_position_unique" unique ("position");`);
    this.addSql(`create index "user_events_position_seq_index" on "user_events" ("position", "seq");`);
    this.addSql(`create index "user_events_subject_seq_index" on "user_events" ("subject", "seq");`);

    this.addSql(
      `create table "user_event_resends" ("slot" int not null, "next" bigint not null, "last" bigint not null, primary key ("slot"));`,
    );

    this.addSql(
      `create table "user_inbox" ("event_id" varchar(36) not null, "source" varchar(100) not null, "taken_at" timestamptz(3) not null, primary key ("event_id"));`,
    );
    this.addSql(`create index "user_inbox_source_index" on "user_inbox" ("source");`);

    this.addSql(
      `create table "user_orders" ("order_id" varchar(36) not null, "user_id" bigint not null, "status" varchar(16) not null, "currency" char(3) not null, "total_units" bigint not null, "total_nanos" int not null, "item_count" int not null, "version" int not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("order_id"));`,
    );
    this.addSql(`create index "user_orders_user_id_order_id_index" on "user_orders" ("user_id", "order_id");`);

    this.addSql(
      `create table "user_parked_events" ("seq" bigserial primary key, "event_id" varchar(36) not null, "source" varchar(100) not null, "slot" int not null, "type" varchar(200) not null, "subject" varchar(200) not null, "envelope" bytea not null, "state" varchar(16) not null, "attempts" int not null, "reason" text not null, "parked_at" timestamptz(3) not null, "next_at" timestamptz(3) null);`,
    );
    this.addSql(
      `alter table "user_parked_events" add constraint "user_parked_events_event_id_unique" unique ("event_id");`,
    );
    this.addSql(`create index "user_parked_events_state_next_at_index" on "user_parked_events" ("state", "next_at");`);
    this.addSql(`create index "user_parked_events_subject_seq_index" on "user_parked_events" ("subject", "seq");`);

    this.addSql(
      `create table "user_work_leases" ("work" varchar(120) not null, "holder" varchar(36) not null, "until" timestamptz(3) not null, primary key ("work"));`,
    );

    this.addSql(`alter table "user_request_ids" add "method" varchar(200) null, add "answer" bytea null;`);
    this.addSql(`create index "user_request_ids_created_at_index" on "user_request_ids" ("created_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "user_cursors" cascade;`);
    this.addSql(`drop table if exists "user_events" cascade;`);
    this.addSql(`drop table if exists "user_event_resends" cascade;`);
    this.addSql(`drop table if exists "user_inbox" cascade;`);
    this.addSql(`drop table if exists "user_orders" cascade;`);
    this.addSql(`drop table if exists "user_parked_events" cascade;`);
    this.addSql(`drop table if exists "user_work_leases" cascade;`);

    this.addSql(`drop index "user_request_ids_created_at_index";`);
    this.addSql(`alter table "user_request_ids" drop column "method", drop column "answer";`);
  }
}
