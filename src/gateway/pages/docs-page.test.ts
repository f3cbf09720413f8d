import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "../../base/log.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { docsFolder } from "./docs-assets.ts";
import { DocsPage } from "./docs-page.ts";

const page = new DocsPage({ title: "Loom <&> Co", folder: docsFolder, log: silentLogger });

async function ask(path: string, method = "GET", header: Record<string, string> = {}, of = page) {
  const answer = await of.answer(restRequest(method, path, { header }));
  return answer && readAnswer(answer);
}

/** The addresses that the page loads, as a browser makes them out. */
async function addresses(): Promise<readonly string[]> {
  const text = (await ask("/docs"))?.text ?? "";
  const found = [...text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, address = ""]) => address);
  return found
    .map((address) => new URL(address, "http://localhost/docs"))
    .map(({ pathname, search }) => pathname + search);
}

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

test("the page runs no script in itself, and none of anybody else", async () => {
  const answer = await ask("/docs");
  expect(answer?.status).toBe(200);
  expect(answer?.header.get("content-type")).toBe("text/html; charset=utf-8");
  const policy = answer?.header.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(answer?.text).not.toMatch(/<script>|https?:|\son\w+=/);
  expect(answer?.text).toContain("<title>Loom &#60;&#38;&#62; Co</title>");
});

test("what the page needs is there, kept for ever by who has it, for its address changes with it", async () => {
  const all = await addresses();
  expect(all).toHaveLength(4);
  for (const address of all) {
    const asset = await ask(address);
    expect([address, asset?.status]).toEqual([address, 200]);
    expect(asset?.header.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(asset?.header.get("x-content-type-options")).toBe("nosniff");
    expect(asset?.header.get("content-length")).toBe(String(Buffer.byteLength(asset?.text ?? "")));
    const [path = ""] = address.split("?");
    expect((await ask(path))?.header.get("cache-control")).toBe("no-cache");
    expect((await ask(`${path}?v=of-yesterday`))?.header.get("cache-control")).toBe("no-cache");
  }
});

test("who has a page and asks again is told that it is still that", async () => {
  const first = await ask("/docs");
  const etag = first?.header.get("etag") ?? "";
  for (const tags of [etag, etag.slice(2), `"other", ${etag}`, "*"]) {
    const again = await ask("/docs", "GET", { "if-none-match": tags });
    expect([again?.status, again?.text, again?.header.get("etag")]).toEqual([304, "", etag]);
  }
  expect((await ask("/docs", "GET", { "if-none-match": '"other"' }))?.status).toBe(200);
});

test("HEAD has the headers alone, other methods are refused, and other paths left alone", async () => {
  const head = await ask("/docs", "HEAD");
  expect([head?.status, head?.text]).toEqual([200, ""]);
  expect(Number(head?.header.get("content-length"))).toBeGreaterThan(100);
  const post = await ask("/docs", "POST");
  expect([post?.status, post?.header.get("allow")]).toEqual([405, "GET, HEAD"]);
  for (const path of ["/docs/other.js", "/docs/../package.json", "/docs/%2e%2e/package.json"]) {
    expect(await ask(path)).toBeUndefined();
  }
  expect((await ask("/docs/"))?.header.get("location")).toBe("../docs");
});

test("where the files are missing a page says so, names one and how to get it, and leads to the document", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-docs-"));
  folders.push(folder);
  const bare = new DocsPage({ title: "API", folder: pathToFileURL(`${folder}/`), log: silentLogger });
  const answer = await ask("/docs", "GET", {}, bare);
  expect(answer?.status).toBe(503);
  expect(answer?.text).toMatch(/swagger-ui.* is not there: make generate/);
  expect(answer?.text).toContain('href="openapi.json"');
  expect(answer?.header.get("cache-control")).toBe("no-store");
});
