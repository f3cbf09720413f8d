import { Migration } from "@mikro-orm/migrations";

export class Migration20261121000626_Init extends Migration {
  override name = "Migration20261121000626_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "instances" ("id" varchar(128) not null, "name" varchar(100) not null, "host" varchar(253) not null, "port" int not null, "term" text not null, "probe_address" varchar(500) null, "lapsed_at" timestamptz(3) null, "body" text not null, primary key ("id"));`,
    );

    this.addSql(`create table "starts" ("id" int not null, "count" int not null, primary key ("id"));`);

    this.addSql(
      `alter table "instances" add constraint "instances_term_check" check ("term" in ('kept-alive', 'until-deregistered'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "instances" cascade;`);
    this.addSql(`drop table if exists "starts" cascade;`);
  }
}
