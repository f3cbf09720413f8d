import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { jsonLogger, silentLogger } from "../../base/log.ts";
import { fileCache, noCache } from "./snapshot-cache.ts";
import { endpointAt } from "./static.ts";

async function openFolder() {
  const dir = await mkdtemp(join(tmpdir(), "heddle-cache-"));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

const service = "shop.user.v1.UserService";

test("the last endpoints written are read again, by another process too, and nothing half lies about", async () => {
  await using folder = await openFolder();
  const dir = join(folder.dir, "made", "when needed");
  const cache = fileCache(dir, silentLogger);
  for (let port = 1; port <= 20; port++) cache.write(service, [endpointAt(`127.0.0.1:${port}`)]);
  await vi.waitFor(async () => {
    expect(await fileCache(dir, silentLogger).read(service)).toEqual([endpointAt("127.0.0.1:20")]);
    expect(await readdir(dir)).toEqual([`${service}.json`]);
  });
  expect(await cache.read("another.Service")).toBeUndefined();
});

test.each(["", "{", "{}", "null", '[{"id":1}]', "[null]"])("a file that says %j is the same as none", async (text) => {
  await using folder = await openFolder();
  await writeFile(join(folder.dir, `${service}.json`), text);
  expect(await fileCache(folder.dir, silentLogger).read(service)).toBeUndefined();
});

test("a folder that cannot be written is logged and otherwise nobody's problem", async () => {
  await using folder = await openFolder();
  const file = join(folder.dir, "file");
  await writeFile(file, "");
  const lines: string[] = [];
  const log = jsonLogger({ write: (line) => lines.push(line) });
  const cache = fileCache(join(file, "below"), log);
  cache.write(service, []);
  await vi.waitFor(() => expect(lines.join("")).toContain("the snapshot of endpoints was not kept"));
  expect(await cache.read(service)).toBeUndefined();
});

test("without a folder nothing is kept", async () => {
  noCache.write(service, [endpointAt("127.0.0.1:1")]);
  expect(await noCache.read(service)).toBeUndefined();
});
