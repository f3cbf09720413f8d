import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";

/** What a page server serves, by path: its type and its bytes. */
type Files = ReadonlyMap<string, { readonly type: string; readonly body: string | Uint8Array }>;

/** Serves the page of the shop, and nothing else. Closing it ends its connections. */
export interface PageServer extends AsyncDisposable {
  /** "http://127.0.0.1:8080": another origin than the gateway's, so the page needs the gateway's leave to call it. */
  readonly origin: string;
}

/** Bundles the page for browsers and serves it; port 0 takes any that is free. */
export async function openPageServer({ port = 0 }: { readonly port?: number } = {}): Promise<PageServer> {
  const files = await bundle();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const file = files.get(pathname);
    if (file === undefined) response.writeHead(404).end("no such page\n");
    else response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" }).end(file.body);
  });
  const host = "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen({ host, port }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the page server has no port");
  return {
    origin: `http://${host}:${address.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bundle(): Promise<Files> {
  const file = (name: string) => join(import.meta.dirname, "page", name);
  const [html, css, bundled] = await Promise.all([
    readFile(file("page.html"), "utf8"),
    readFile(file("page.css"), "utf8"),
    build({
      entryPoints: [file("page.ts")],
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      write: false,
    }),
  ]);
  return new Map([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/page.css", { type: "text/css; charset=utf-8", body: css }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: bundled.outputFiles[0]?.text ?? "" }],
  ]);
}
