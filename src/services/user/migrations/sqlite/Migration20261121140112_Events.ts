import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140112_Events extends Migration {
  override name = "Migration20261121140112_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`user_cursors\` (\`source\` text not null, \`slot\` integer not null, \`position\` integer not null, primary key (\`source\`, \`slot\`));`,
    );

    this.addSql(
      `create table \`user_events\` (\`seq\` integer not null primary key autoincrement, \`id\` text not null, \`position\` integer null, \`slot\` integer not null, \`type\` text not null, \`version\` integer not null, \`subject\` text not null, \`trace_parent\` text not null, \`time\` datetime not null, \`data_schema\` text not null, \`data\` blob not null);`,
    );
    this.addSql(`create unique index \`user_events_id_unique\` on \`user_events\` (\`id\`);`);
    this.addSql(`create unique index \`user_events_position_unique\` on \`user_events\` (\`position\`);`);
    this.addSql(`create index \`user_events_position_seq_index\` on \`user_events\` (\`position\`, \`seq\`);`);
    this.addSql(`create index \`user_events_subject_seq_index\` on \`user_events\` (\`subject\`, \`seq\`);`);

    this.addSql(
      `create table \`user_event_resends\` (\`slot\` integer not null primary key, \`next\` integer not null, \`last\` integer not null);`,
    );

    this.addSql(
      `create table \`user_inbox\` (\`event_id\` text not null primary key, \`source\` text not null, \`taken_at\` datetime not null);`,
    );
    this.addSql(`create index \`user_inbox_source_index\` on \`user_inbox\` (\`source\`);`);

    this.addSql(
      `create table \`user_orders\` (\`order_id\` text not null primary key, \`user_id\` bigint not null, \`status\` text not null, \`currency\` text not null, \`total_units\` bigint not null, \`total_nanos\` integer not null, \`item_count\` integer not null, \`version\` integer not null, \`created_at\` datetime not null, \`updated_at\` datetime not null);`,
    );
    this.addSql(`create index \`user_orders_user_id_order_id_index\` on \`user_orders\` (\`user_id\`, \`order_id\`);`);

    this.addSql(
      `create table \`user_parked_events\` (\`seq\` integer not null primary key autoincrement, \`event_id\` text not null, \`source\` text not null, \`slot\` integer not null, \`type\` text not null, \`subject\` text not null, \`envelope\` blob not null, \`state\` text not null, \`attempts\` integer not null, \`reason\` text not null, \`parked_at\` datetime not null, \`next_at\` datetime null);`,
    );
    this.addSql(`create unique index \`user_parked_events_event_id_unique\` on \`user_parked_events\` (\`event_id\`);`);
    this.addSql(
      `create index \`user_parked_events_state_next_at_index\` on \`user_parked_events\` (\`state\`, \`next_at\`);`,
    );
    this.addSql(
      `create index \`user_parked_events_subject_seq_index\` on \`user_parked_events\` (\`subject\`, \`seq\`);`,
    );

    this.addSql(
      `create table \`user_work_leases\` (\`work\` text not null primary key, \`holder\` text not null, \`until\` datetime not null);`,
    );

    this.addSql(`alter table \`user_request_ids\` add column \`method\` text null;`);
    this.addSql(`alter table \`user_request_ids\` add column \`answer\` blob null;`);
    this.addSql(`create index \`user_request_ids_created_at_index\` on \`user_request_ids\` (\`created_at\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`user_cursors\`;`);
    this.addSql(`drop table if exists \`user_events\`;`);
    this.addSql(`drop table if exists \`user_event_resends\`;`);
    this.addSql(`drop table if exists \`user_inbox\`;`);
    this.addSql(`drop table if exists \`user_orders\`;`);
    this.addSql(`drop table if exists \`user_parked_events\`;`);
    this.addSql(`drop table if exists \`user_work_leases\`;`);

    this.addSql(`drop index \`user_request_ids_created_at_index\`;`);
    this.addSql(`alter table \`user_request_ids\` drop column \`method\`;`);
    this.addSql(`alter table \`user_request_ids\` drop column \`answer\`;`);
  }
}
