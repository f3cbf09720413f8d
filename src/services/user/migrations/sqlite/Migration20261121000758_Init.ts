import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000758_Init extends Migration {
  override name = "Migration20261121000758_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`users\` (\`id\` integer not null primary key autoincrement, \`name\` text not null, \`email\` text not null, \`email_key\` text not null, \`created_at\` datetime not null, \`updated_at\` datetime not null, \`version\` integer not null default 1);`,
    );
    this.addSql(`create unique index \`users_email_key_unique\` on \`users\` (\`email_key\`);`);

    this.addSql(
      `create table \`user_request_ids\` (\`request_id\` text not null primary key, \`content_hash\` text not null, \`resource\` text not null, \`created_at\` datetime not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`users\`;`);
    this.addSql(`drop table if exists \`user_request_ids\`;`);
  }
}
