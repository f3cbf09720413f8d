import { Migration } from "@mikro-orm/migrations";

export class Migration20261121094252_Init extends Migration {
  override name = "Migration20261121094252_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`idempotent_answers\` (\`scope\` text not null primary key, \`fingerprint\` text not null, \`holder\` text not null, \`lease_ends_at\` bigint not null, \`status\` integer not null, \`header\` text not null, \`body\` blob null, \`body_bytes\` integer not null, \`ends_at\` bigint not null);`,
    );
    this.addSql(`create index \`idempotent_answers_ends_at_index\` on \`idempotent_answers\` (\`ends_at\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`idempotent_answers\`;`);
  }
}
