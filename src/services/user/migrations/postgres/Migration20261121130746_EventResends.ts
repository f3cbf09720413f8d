import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130746_EventResends extends Migration {
  override name = "Migration20261121130746_EventResends";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "user_event_resends" ("slot" int not null, "next" bigint not null, "last" bigint not null, primary key ("slot"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "user_event_resends" cascade;`);
  }
}
