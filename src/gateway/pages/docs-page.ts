import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import { pathOf } from "../../server/dispatch.ts";
import { type Assets, readAssets } from "./docs-assets.ts";
import { brokenHtml, docsHtml, docsScript, docsStyle } from "./docs-content.ts";
import { methodRefused, type PageContent, pageAnswer, pageContent } from "./page.ts";

/** What the page is made of. */
export interface DocsPageOptions {
  readonly title: string;
  /** Where Swagger UI is. */
  readonly folder: URL;
  readonly log: Logger;
}

/**
 * The page runs its own script and no other, and talks to the gateway alone. Styles may stand in the page: Swagger UI
 * sets some by itself.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const html = "text/html; charset=utf-8";

/** An asset's address changes with its content, so whoever has it need never ask again. */
const forEver = { "cache-control": "public, max-age=31536000, immutable" };

interface Docs {
  readonly page: PageContent;
  readonly assets: Assets;
}

/** `/docs`: the API for people, with Swagger UI, out of the gateway itself. Its files are read when somebody looks. */
export class DocsPage {
  readonly #options: DocsPageOptions;
  #docs: Promise<Docs> | undefined;

  constructor(options: DocsPageOptions) {
    this.#options = options;
  }

  /** Answers `/docs` and what lies below it; `undefined` for what does not. */
  async answer(request: UniversalServerRequest): Promise<UniversalServerResponse | undefined> {
    const refused = methodRefused(request);
    if (refused !== undefined) return refused;
    try {
      this.#docs ??= this.#read();
      return answerOf(await this.#docs, request);
    } catch (reason) {
      this.#docs = undefined; // the files may come yet
      return this.#broken(request, reason);
    }
  }

  async #read(): Promise<Docs> {
    const swagger = await readAssets(this.#options.folder);
    const assets = new Map([
      ...swagger,
      ["page.css", pageContent("text/css; charset=utf-8", docsStyle)],
      ["page.js", pageContent("text/javascript; charset=utf-8", docsScript)],
    ]);
    const address = (name: string) => `docs/${name}?v=${versionOf(assets.get(name))}`;
    return { page: pageContent(html, docsHtml(this.#options.title, address)), assets };
  }

  #broken(request: UniversalServerRequest, reason: unknown): UniversalServerResponse {
    const problem = messageOf(reason);
    this.#options.log.warn("/docs cannot be shown", { problem });
    const content = pageContent(html, brokenHtml(problem));
    const header = { "cache-control": "no-store", "content-security-policy": policy };
    return { ...pageAnswer(request, content, header), status: 503 };
  }
}

function answerOf({ page, assets }: Docs, request: UniversalServerRequest): UniversalServerResponse | undefined {
  const path = pathOf(request.url);
  if (path === "/docs") return pageAnswer(request, page, { "content-security-policy": policy });
  if (path === "/docs/") return { status: 308, header: new Headers({ location: "../docs" }) };
  const asset = assets.get(path.slice("/docs/".length));
  if (asset === undefined) return undefined;
  const isCurrent = request.url.endsWith(`?v=${versionOf(asset)}`);
  return pageAnswer(request, asset, isCurrent ? forEver : {});
}

function versionOf(content: PageContent | undefined): string {
  return content?.version ?? "";
}
