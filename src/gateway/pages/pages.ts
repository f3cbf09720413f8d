import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "../../base/log.ts";
import type { Followed } from "../../base/watch.ts";
import type { JsonOutput } from "../../rest/response/response.ts";
import { jsonAnswer } from "../../server/answers.ts";
import type { Routes } from "../routes/route-table.ts";
import { docsFolder } from "./docs-assets.ts";
import { DocsPage } from "./docs-page.ts";
import { OpenApiPage } from "./openapi-page.ts";
import { methodRefused } from "./page.ts";

/** The documentation's pages. */
export interface Documentation {
  readonly openApi: OpenApiPage;
  readonly docs: DocsPage;
}

/** What documentation needs. */
export interface DocumentationOptions {
  readonly routes: Followed<Routes>;
  readonly title: string;
  readonly version: string;
  /** How REST answers are written. */
  readonly json: JsonOutput;
  readonly log: Logger;
}

/** The documentation of what is routed. Nothing of it is made before somebody asks. */
export function documentationOf({ routes, title, version, json, log }: DocumentationOptions): Documentation {
  return {
    openApi: new OpenApiPage({ routes, about: { title, version, json }, log }),
    docs: new DocsPage({ title, folder: docsFolder, log }),
  };
}

/** The pages that the gateway answers itself. */
export interface PagesOptions {
  /** `/health`: whether all is well, and what it says. */
  readonly health: () => readonly [serving: boolean, told: Record<string, unknown>];
  /** `undefined`, there is none: its paths belong to the services. */
  readonly documentation: Documentation | undefined;
}

/** Answers a page by its path; `undefined` where the path is no page's. */
export type Pages = (
  request: UniversalServerRequest,
  path: string,
) => UniversalServerResponse | Promise<UniversalServerResponse | undefined> | undefined;

/** `/health`, `/openapi.json` and `/docs`. They go before what is routed. */
export function pagesOf({ health, documentation }: PagesOptions): Pages {
  return (request, path) => {
    if (path === "/health") return methodRefused(request) ?? healthAnswer(request, health());
    if (documentation === undefined) return undefined;
    if (path === "/openapi.json") return documentation.openApi.answer(request);
    if (path === "/docs" || path.startsWith("/docs/")) return documentation.docs.answer(request);
    return undefined;
  };
}

function healthAnswer(
  { method }: UniversalServerRequest,
  [serving, told]: readonly [boolean, Record<string, unknown>],
): UniversalServerResponse {
  const answer = jsonAnswer(serving ? 200 : 503, told);
  if (method !== "HEAD") return answer;
  const { status, header = new Headers() } = answer;
  return { status, header };
}
