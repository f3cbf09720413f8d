import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000758_Init extends Migration {
  override name = "Migration20261121000758_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "catalog_request_ids" ("request_id" varchar(100) not null, "content_hash" varchar(64) not null, "resource" varchar(100) not null, "created_at" timestamptz(3) not null, primary key ("request_id"));`,
    );

    this.addSql(
      `create table "products" ("sku" varchar(64) not null, "name" varchar(200) not null, "description" text not null, "currency" char(3) not null, "price_units" bigint not null, "price_nanos" int not null, "stock" int not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "version" int not null default 1, primary key ("sku"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "catalog_request_ids" cascade;`);
    this.addSql(`drop table if exists "products" cascade;`);
  }
}
