import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130432_RequestAnswers extends Migration {
  override name = "Migration20261121130432_RequestAnswers";

  override up(): void | Promise<void> {
    this.addSql(`alter table "catalog_request_ids" add "method" varchar(200) null, add "answer" bytea null;`);
    this.addSql(`create index "catalog_request_ids_created_at_index" on "catalog_request_ids" ("created_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "catalog_request_ids_created_at_index";`);
    this.addSql(`alter table "catalog_request_ids" drop column "method", drop column "answer";`);
  }
}
