// One of several processes that share a SQLite file: creates users and changes one they have in common.
import { userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore } from "../../store/orm.ts";

const [dataDir = "", name = "", count = "0"] = process.argv.slice(2);
await using store = await openStore({ ...userRows, databaseUrl: "", dataDir });

async function step(turn: number): Promise<void> {
  await store.unit((em) => userRepository(em).add({ name, email: `${name}-${turn}@example.com` }, turn));
  await store.unit(async (em) => {
    const users = userRepository(em);
    const common = await users.getForChange(1n, 0);
    await users.change(common, { name: `${name} ${turn}` }, turn);
  });
  await store.read((em) => userRepository(em).get(1n));
}

const turns = Array.from({ length: Number(count) }, (_, turn) => turn);
const lanes = [0, 1, 2, 3].map(async (lane) => {
  for (const turn of turns.filter((candidate) => candidate % 4 === lane)) await step(turn);
});
await Promise.all(lanes);
