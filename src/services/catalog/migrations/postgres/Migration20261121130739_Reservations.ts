import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130739_Reservations extends Migration {
  override name = "Migration20261121130739_Reservations";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "reservations" ("order_id" varchar(36) not null, "sku" varchar(64) not null, "qty" int not null, "state" varchar(16) not null, "reason" varchar(200) not null default '', "short_of" varchar(64) not null default '', "updated_at" timestamptz(3) not null, primary key ("order_id", "sku"));`,
    );
    this.addSql(`create index "reservations_sku_state_index" on "reservations" ("sku", "state");`);

    this.addSql(`alter table "products" add "received" int not null default 0;`);
    // What there is was received, as no order has kept any so far.
    this.addSql(`update products set received = stock;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "reservations" cascade;`);

    this.addSql(`alter table "products" drop column "received";`);
  }
}
