import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140115_Events extends Migration {
  override name = "Migration20261121140115_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`order_cursors\` (\`source\` text not null, \`slot\` integer not null, \`position\` integer not null, primary key (\`source\`, \`slot\`));`,
    );

    this.addSql(
      `create table \`order_events\` (\`seq\` integer not null primary key autoincrement, \`id\` text not null, \`position\` integer null, \`slot\` integer not null, \`type\` text not null, \`version\` integer not null, \`subject\` text not null, \`trace_parent\` text not null, \`time\` datetime not null, \`data_schema\` text not null, \`data\` blob not null);`,
    );
    this.addSql(`create unique index \`order_events_id_unique\` on \`order_events\` (\`id\`);`);
    this.addSql(`create unique index \`order_events_position_unique\` on \`order_events\` (\`position\`);`);
    this.addSql(`create index \`order_events_position_seq_index\` on \`order_events\` (\`position\`, \`seq\`);`);
    this.addSql(`create index \`order_events_subject_seq_index\` on \`order_events\` (\`subject\`, \`seq\`);`);

    this.addSql(
      `create table \`order_event_resends\` (\`slot\` integer not null primary key, \`next\` integer not null, \`last\` integer not null);`,
    );

    this.addSql(
      `create table \`order_inbox\` (\`event_id\` text not null primary key, \`source\` text not null, \`taken_at\` datetime not null);`,
    );
    this.addSql(`create index \`order_inbox_source_index\` on \`order_inbox\` (\`source\`);`);

    this.addSql(
      `create table \`order_parked_events\` (\`seq\` integer not null primary key autoincrement, \`event_id\` text not null, \`source\` text not null, \`slot\` integer not null, \`type\` text not null, \`subject\` text not null, \`envelope\` blob not null, \`state\` text not null, \`attempts\` integer not null, \`reason\` text not null, \`parked_at\` datetime not null, \`next_at\` datetime null);`,
    );
    this.addSql(
      `create unique index \`order_parked_events_event_id_unique\` on \`order_parked_events\` (\`event_id\`);`,
    );
    this.addSql(
      `create index \`order_parked_events_state_next_at_index\` on \`order_parked_events\` (\`state\`, \`next_at\`);`,
    );
    this.addSql(
      `create index \`order_parked_events_subject_seq_index\` on \`order_parked_events\` (\`subject\`, \`seq\`);`,
    );

    this.addSql(
      `create table \`order_sagas\` (\`id\` text not null primary key, \`name\` text not null, \`state\` text not null, \`step\` text not null, \`reason\` text not null, \`wake_at\` datetime null, \`attempts\` integer not null, \`history\` json not null, \`started_at\` datetime not null, \`updated_at\` datetime not null, \`version\` integer not null default 1);`,
    );
    this.addSql(`create index \`order_sagas_wake_at_index\` on \`order_sagas\` (\`wake_at\`);`);
    this.addSql(
      `create index \`order_sagas_state_started_at_id_index\` on \`order_sagas\` (\`state\`, \`started_at\`, \`id\`);`,
    );

    this.addSql(
      `create table \`order_work_leases\` (\`work\` text not null primary key, \`holder\` text not null, \`until\` datetime not null);`,
    );

    this.addSql(`alter table \`order_request_ids\` add column \`method\` text null;`);
    this.addSql(`alter table \`order_request_ids\` add column \`answer\` blob null;`);
    this.addSql(`create index \`order_request_ids_created_at_index\` on \`order_request_ids\` (\`created_at\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`order_cursors\`;`);
    this.addSql(`drop table if exists \`order_events\`;`);
    this.addSql(`drop table if exists \`order_event_resends\`;`);
    this.addSql(`drop table if exists \`order_inbox\`;`);
    this.addSql(`drop table if exists \`order_parked_events\`;`);
    this.addSql(`drop table if exists \`order_sagas\`;`);
    this.addSql(`drop table if exists \`order_work_leases\`;`);

    this.addSql(`drop index \`order_request_ids_created_at_index\`;`);
    this.addSql(`alter table \`order_request_ids\` drop column \`method\`;`);
    this.addSql(`alter table \`order_request_ids\` drop column \`answer\`;`);
  }
}
