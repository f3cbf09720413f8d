// A process that keeps a SQLite file from being tidied up: one long look at it after the other, as a backup takes.
import { DatabaseSync } from "node:sqlite";

const [file = "", until = "0"] = process.argv.slice(2);
const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
let looks = 0;
while (Date.now() < Number(until)) {
  database.exec("begin; select count(*) from users");
  await new Promise((resolve) => setTimeout(resolve, 200));
  database.exec("commit");
  looks++;
}
database.close();
console.log(looks);
