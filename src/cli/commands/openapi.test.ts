import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { heddleDescriptors } from "../../app/descriptors.ts";
import type { Cli } from "../command.ts";
import { openapi } from "./openapi.ts";

const file = fileURLToPath(heddleDescriptors);

/** What the command prints. */
async function printed(words: readonly string[], flags: Readonly<Record<string, string>> = {}) {
  const lines: string[] = [];
  const out = { line: (text: string) => lines.push(text) };
  expect(await openapi.run({ out } as unknown as Cli, { words, flags })).toBe(0);
  const told = JSON.parse(lines.join("\n")) as {
    readonly info: { readonly title: string; readonly version: string };
    readonly servers: readonly { readonly url: string }[];
    readonly tags: readonly { readonly name: string; readonly description?: string }[];
  };
  return { ...told, names: told.tags.map(({ name }) => name) };
}

test("a file of descriptors is printed as a document of its own services, with their comments", async () => {
  const { names, tags } = await printed([file]);
  expect(names).toEqual([
    "shop.catalog.v1.CatalogService",
    "shop.order.v1.OrderService",
    "shop.user.v1.UserService",
    "shop.user.v2.UserService",
  ]);
  expect(tags[0]?.description).toBe("What there is to order, at what price, and how much of it.");
});

test("services are chosen by their names or the beginnings of these, and the document says what it is told to", async () => {
  const { names } = await printed([file, "shop.user", "heddle.discovery.v1.ConsulService", "shop.user.v1"]);
  expect(names).toEqual(["heddle.discovery.v1.ConsulService", "shop.user.v1.UserService", "shop.user.v2.UserService"]);
  const told = await printed([file], { title: "Shop", "api-version": "7", server: "https://api.example.org" });
  expect(told.info).toMatchObject({ title: "Shop", version: "7" });
  expect(told.servers).toEqual([{ url: "https://api.example.org" }]);
});

test.each([
  ["no file", [], /needs a file: buf build/],
  ["a file that is missing", ["/nowhere"], /\/nowhere cannot be read as descriptors/],
  ["a file that is something else", [`${import.meta.dirname}/openapi.ts`], /cannot be read as descriptors/],
  ["a service that is not in it", [file, "shop.use"], /has no service shop\.use; it has .*shop\.user\.v1\.UserService/],
] as const)("%s is told of, with what would do", async (_, words, message) => {
  await expect(printed(words)).rejects.toThrow(message);
});
