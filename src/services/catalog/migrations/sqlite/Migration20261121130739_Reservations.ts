import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130739_Reservations extends Migration {
  override name = "Migration20261121130739_Reservations";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`reservations\` (\`order_id\` text not null, \`sku\` text not null, \`qty\` integer not null, \`state\` text not null, \`reason\` text not null default '', \`short_of\` text not null default '', \`updated_at\` datetime not null, primary key (\`order_id\`, \`sku\`));`,
    );
    this.addSql(`create index \`reservations_sku_state_index\` on \`reservations\` (\`sku\`, \`state\`);`);

    this.addSql(`alter table \`products\` add column \`received\` integer not null default 0;`);
    // What there is was received, as no order has kept any so far.
    this.addSql(`update products set received = stock;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`reservations\`;`);

    this.addSql(`alter table \`products\` drop column \`received\`;`);
  }
}
