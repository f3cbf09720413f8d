import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000626_Init extends Migration {
  override name = "Migration20261121000626_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`instances\` (\`id\` text not null primary key, \`name\` text not null, \`host\` text not null, \`port\` integer not null, \`term\` text check (\`term\` in ('kept-alive', 'until-deregistered')) not null, \`probe_address\` text null, \`lapsed_at\` datetime null, \`body\` text not null);`,
    );

    this.addSql(`create table \`starts\` (\`id\` integer not null primary key, \`count\` integer not null);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`instances\`;`);
    this.addSql(`drop table if exists \`starts\`;`);
  }
}
