import { Migration } from "@mikro-orm/migrations";

export class Migration20261121140117_Events extends Migration {
  override name = "Migration20261121140117_Events";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`catalog_cursors\` (\`source\` text not null, \`slot\` integer not null, \`position\` integer not null, primary key (\`source\`, \`slot\`));`,
    );

    this.addSql(
      `create table \`catalog_events\` (\`seq\` integer not null primary key autoincrement, \`id\` text not null, \`position\` integer null, \`slot\` integer not null, \`type\` text not null, \`version\` integer not null, \`subject\` text not null, \`trace_parent\` text not null, \`time\` datetime not null, \`data_schema\` text not null, \`data\` blob not null);`,
    );
    this.addSql(`create unique index \`catalog_events_id_unique\` on \`catalog_events\` (\`id\`);`);
    this.addSql(`create unique index \`catalog_events_position_unique\` on \`catalog_events\` (\`position\`);`);
    this.addSql(`create index \`catalog_events_position_seq_index\` on \`catalog_events\` (\`position\`, \`seq\`);`);
    this.addSql(`create index \`catalog_events_subject_seq_index\` on \`catalog_events\` (\`subject\`, \`seq\`);`);

    this.addSql(
      `create table \`catalog_event_resends\` (\`slot\` integer not null primary key, \`next\` integer not null, \`last\` integer not null);`,
    );

    this.addSql(
      `create table \`catalog_inbox\` (\`event_id\` text not null primary key, \`source\` text not null, \`taken_at\` datetime not null);`,
    );
    this.addSql(`create index \`catalog_inbox_source_index\` on \`catalog_inbox\` (\`source\`);`);

    this.addSql(
      `create table \`catalog_parked_events\` (\`seq\` integer not null primary key autoincrement, \`event_id\` text not null, \`source\` text not null, \`slot\` integer not null, \`type\` text not null, \`subject\` text not null, \`envelope\` blob not null, \`state\` text not null, \`attempts\` integer not null, \`reason\` text not null, \`parked_at\` datetime not null, \`next_at\` datetime null);`,
    );
    this.addSql(
      `create unique index \`catalog_parked_events_event_id_unique\` on \`catalog_parked_events\` (\`event_id\`);`,
    );
    this.addSql(
      `create index \`catalog_parked_events_state_next_at_index\` on \`catalog_parked_events\` (\`state\`, \`next_at\`);`,
    );
    this.addSql(
      `create index \`catalog_parked_events_subject_seq_index\` on \`catalog_parked_events\` (\`subject\`, \`seq\`);`,
    );

    this.addSql(
      `create table \`catalog_work_leases\` (\`work\` text not null primary key, \`holder\` text not null, \`until\` datetime not null);`,
    );

    this.addSql(
      `create table \`reservations\` (\`order_id\` text not null, \`sku\` text not null, \`qty\` integer not null, \`state\` text not null, \`reason\` text not null default '', \`short_of\` text not null default '', \`updated_at\` datetime not null, primary key (\`order_id\`, \`sku\`));`,
    );
    this.addSql(`create index \`reservations_sku_state_index\` on \`reservations\` (\`sku\`, \`state\`);`);

    this.addSql(`alter table \`catalog_request_ids\` add column \`method\` text null;`);
    this.addSql(`alter table \`catalog_request_ids\` add column \`answer\` blob null;`);
    this.addSql(`create index \`catalog_request_ids_created_at_index\` on \`catalog_request_ids\` (\`created_at\`);`);

    this.addSql(`alter table \`products\` add column \`received\` integer not null default 0;`);
    // What there is was received, as no order has kept any so far.
    this.addSql(`update products set received = stock;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`catalog_cursors\`;`);
    this.addSql(`drop table if exists \`catalog_events\`;`);
    this.addSql(`drop table if exists \`catalog_event_resends\`;`);
    this.addSql(`drop table if exists \`catalog_inbox\`;`);
    this.addSql(`drop table if exists \`catalog_parked_events\`;`);
    this.addSql(`drop table if exists \`catalog_work_leases\`;`);
    this.addSql(`drop table if exists \`reservations\`;`);

    this.addSql(`drop index \`catalog_request_ids_created_at_index\`;`);
    this.addSql(`alter table \`catalog_request_ids\` drop column \`method\`;`);
    this.addSql(`alter table \`catalog_request_ids\` drop column \`answer\`;`);

    this.addSql(`alter table \`products\` drop column \`received\`;`);
  }
}
