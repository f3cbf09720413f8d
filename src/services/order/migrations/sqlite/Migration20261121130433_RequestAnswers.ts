import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130433_RequestAnswers extends Migration {
  override name = "Migration20261121130433_RequestAnswers";

  override up(): void | Promise<void> {
    this.addSql(`alter table \`order_request_ids\` add column \`method\` text null;`);
    this.addSql(`alter table \`order_request_ids\` add column \`answer\` blob null;`);
    this.addSql(`create index \`order_request_ids_created_at_index\` on \`order_request_ids\` (\`created_at\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index \`order_request_ids_created_at_index\`;`);
    this.addSql(`alter table \`order_request_ids\` drop column \`method\`;`);
    this.addSql(`alter table \`order_request_ids\` drop column \`answer\`;`);
  }
}
