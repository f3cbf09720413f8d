import { Migration } from "@mikro-orm/migrations";

export class Migration20261121130737_Sagas extends Migration {
  override name = "Migration20261121130737_Sagas";

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`order_sagas\` (\`id\` text not null primary key, \`name\` text not null, \`state\` text not null, \`step\` text not null, \`reason\` text not null, \`wake_at\` datetime null, \`attempts\` integer not null, \`history\` json not null, \`started_at\` datetime not null, \`updated_at\` datetime not null, \`version\` integer not null default 1);`,
    );
    this.addSql(`create index \`order_sagas_wake_at_index\` on \`order_sagas\` (\`wake_at\`);`);
    this.addSql(
      `create index \`order_sagas_state_started_at_id_index\` on \`order_sagas\` (\`state\`, \`started_at\`, \`id\`);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`order_sagas\`;`);
  }
}
