import { Migration } from "@mikro-orm/migrations";

export class Migration20261121094253_Init extends Migration {
  override name = "Migration20261121094253_Init";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "idempotent_answers" ("scope" varchar(43) not null, "fingerprint" varchar(43) not null, "holder" varchar(36) not null, "lease_ends_at" bigint not null, "status" int not null, "header" text not null, "body" bytea null, "body_bytes" int not null, "ends_at" bigint not null, primary key ("scope"));`,
    );
    this.addSql(`create index "idempotent_answers_ends_at_index" on "idempotent_answers" ("ends_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "idempotent_answers" cascade;`);
  }
}
