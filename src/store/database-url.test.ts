import { expect, test } from "vitest";
import { chooseDatabase } from "./database-url.ts";

const choose = (databaseUrl: string) => chooseDatabase({ name: "user", databaseUrl, dataDir: "data" });

test("an empty URL is a SQLite file named after the service", () => {
  expect(choose("")).toEqual({ kind: "sqlite", file: "data/user.db" });
});

test("a PostgreSQL URL is shown without its password", () => {
  const url = "postgresql://me:p%40ss@db:5432/shop?sslmode=require";
  expect(choose(url)).toEqual({ kind: "postgres", url, shown: "postgresql://me:***@db:5432/shop?sslmode=require" });
});

test("any other URL is refused by the variable's name, without repeating a password", () => {
  for (const url of ["mysql://me:secret@db/shop", "shop.db", "postgres://me:secret@db", "postgres:///shop", "::"]) {
    expect(() => choose(url), url).toThrow(/^DATABASE_URL (?!.*secret).*PostgreSQL URL/);
  }
});
