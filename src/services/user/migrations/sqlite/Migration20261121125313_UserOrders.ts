import { Migration } from "@mikro-orm/migrations";

export class Migration20261121125313_UserOrders extends Migration {
  override name = "Migration20261121125313_UserOrders";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`user_orders\` (\`order_id\` text not null primary key, \`user_id\` bigint not null, \`status\` text not null, \`currency\` text not null, \`total_units\` bigint not null, \`total_nanos\` integer not null, \`item_count\` integer not null, \`version\` integer not null, \`created_at\` datetime not null, \`updated_at\` datetime not null);`,
    );
    this.addSql(`create index \`user_orders_user_id_order_id_index\` on \`user_orders\` (\`user_id\`, \`order_id\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`user_orders\`;`);
  }
}
