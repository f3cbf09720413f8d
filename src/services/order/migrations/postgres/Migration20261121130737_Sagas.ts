import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130737_Sagas extends Migration {
  override name = "Migration20261121130737_Sagas";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "order_sagas" ("id" varchar(100) not null, "name" varchar(100) not null, "state" varchar(16) not null, "step" varchar(100) not null, "reason" text not null, "wake_at" timestamptz(3) null, "attempts" int not null, "history" jsonb not null, "started_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    );
    this.addSql(`create index "order_sagas_wake_at_index" on "order_sagas" ("wake_at");`);
    this.addSql(`create index "order_sagas_state_started_at_id_index" on "order_sagas" ("state", "started_at", "id");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "order_sagas" cascade;`);
  }
}
