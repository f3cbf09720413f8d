import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130747_EventResends extends Migration {
  override name = "Migration20261121130747_EventResends";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`catalog_event_resends\` (\`slot\` integer not null primary key, \`next\` integer not null, \`last\` integer not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`catalog_event_resends\`;`);
  }
}
