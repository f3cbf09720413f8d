import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000758_Init extends Migration {
  override name = "Migration20261121000758_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`catalog_request_ids\` (\`request_id\` text not null primary key, \`content_hash\` text not null, \`resource\` text not null, \`created_at\` datetime not null);`,
    );

    this.addSql(
      `create table \`products\` (\`sku\` text not null primary key, \`name\` text not null, \`description\` text not null, \`currency\` text not null, \`price_units\` bigint not null, \`price_nanos\` integer not null, \`stock\` integer not null, \`created_at\` datetime not null, \`updated_at\` datetime not null, \`version\` integer not null default 1);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`catalog_request_ids\`;`);
    this.addSql(`drop table if exists \`products\`;`);
  }
}
