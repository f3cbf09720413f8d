import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130745_EventResends extends Migration {
  override name = "Migration20261121130745_EventResends";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`order_event_resends\` (\`slot\` integer not null primary key, \`next\` integer not null, \`last\` integer not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`order_event_resends\`;`);
  }
}
