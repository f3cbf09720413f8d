import { Migration } from "@mikro-orm/migrations";

export class Migration20261121125313_UserOrders extends Migration {
  override name = "Migration20261121125313_UserOrders";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "user_orders" ("order_id" varchar(36) not null, "user_id" bigint not null, "status" varchar(16) not null, "currency" char(3) not null, "total_units" bigint not null, "total_nanos" int not null, "item_count" int not null, "version" int not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("order_id"));`,
    );
    this.addSql(`create index "user_orders_user_id_order_id_index" on "user_orders" ("user_id", "order_id");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "user_orders" cascade;`);
  }
}
