import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000759_Init extends Migration {
  override name = "Migration20261121000759_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`orders\` (\`id\` text not null primary key, \`user_id\` bigint not null, \`lines\` json not null, \`status\` text not null, \`currency\` text not null, \`total_units\` bigint not null, \`total_nanos\` integer not null, \`cancel_reason\` text not null, \`created_at\` datetime not null, \`updated_at\` datetime not null, \`version\` integer not null default 1);`,
    );
    this.addSql(`create index \`orders_user_id_id_index\` on \`orders\` (\`user_id\`, \`id\`);`);

    this.addSql(
      `create table \`order_request_ids\` (\`request_id\` text not null primary key, \`content_hash\` text not null, \`resource\` text not null, \`created_at\` datetime not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`orders\`;`);
    this.addSql(`drop table if exists \`order_request_ids\`;`);
  }
}
