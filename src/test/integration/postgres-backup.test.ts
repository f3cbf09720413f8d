import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import { openSnapshots } from "../../cli/databases/open-databases.ts";
import { orderRows } from "../../services/order/order-entity.ts";
import { chooseDatabase } from "../../store/database-url.ts";
import { openStore } from "../../store/orm.ts";
import { query, queryLater } from "../../store/query.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { backupSuite } from "../suites/backup-suite.ts";

backupSuite("postgres");

test("a moment at which nobody writes is found at once among many who write to the same tables in every order", async () => {
  await using database = await openDatabase("postgres");
  const place = { ...orderRows, ...database };
  await using store = await openStore({ ...place, databasePool: 20 });
  const tables = ["orders", "order_sagas", "order_events", "order_inbox", "order_cursors", "order_parked_events"];
  let [isOver, units] = [false, 0];
  const write = async (at: number) => {
    while (!isOver) {
      await store.unit(async (em: SqlEntityManager) => {
        for (let step = 0; step < tables.length; step++) {
          const table = tables[(at * (step % 2 === 0 ? 1 : tables.length - 1) + step + units) % tables.length];
          await query(em, `delete from "${table}" where false`);
          await queryLater(em, "select pg_sleep(0.005)");
        }
      });
      units++;
    }
  };
  const writing = Promise.all(Array.from({ length: 16 }, (_, at) => write(at)));
  try {
    for (let turn = 0; turn < 10; turn++) {
      const began = units;
      await using pinned = await openSnapshots([{ name: "order", database: chooseDatabase(place) }]);
      expect(pinned.snapshots.size).toBe(1);
      await expect.poll(() => units, { timeout: 10_000 }).toBeGreaterThan(began); // who waited goes on
    }
  } finally {
    isOver = true;
    await writing;
  }
});
