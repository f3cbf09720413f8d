import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000758_Init extends Migration {
  override name = "Migration20261121000758_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "users" ("id" bigserial primary key, "name" varchar(100) not null, "email" varchar(100) not null, "email_key" varchar(100) not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "version" int not null default 1);`,
    );
    this.addSql(`alter table "users" add constraint "users_email_key_unique" unique ("email_key");`);

    this.addSql(
      `create table "user_request_ids" ("request_id" varchar(100) not null, "content_hash" varchar(64) not null, "resource" varchar(100) not null, "created_at" timestamptz(3) not null, primary key ("request_id"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "users" cascade;`);
    this.addSql(`drop table if exists "user_request_ids" cascade;`);
  }
}
