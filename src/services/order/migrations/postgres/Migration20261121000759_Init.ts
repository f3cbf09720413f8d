import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000759_Init extends Migration {
  override name = "Migration20261121000759_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "orders" ("id" varchar(36) not null, "user_id" bigint not null, "lines" jsonb not null, "status" varchar(16) not null, "currency" char(3) not null, "total_units" bigint not null, "total_nanos" int not null, "cancel_reason" varchar(200) not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    );
    this.addSql(`create index "orders_user_id_id_index" on "orders" ("user_id", "id");`);

    this.addSql(
      `create table "order_request_ids" ("request_id" varchar(100) not null, "content_hash" varchar(64) not null, "resource" varchar(100) not null, "created_at" timestamptz(3) not null, primary key ("request_id"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "orders" cascade;`);
    this.addSql(`drop table if exists "order_request_ids" cascade;`);
  }
}
