import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Followed } from "../../base/watch.ts";
import type { ComposedPath } from "../../rest/openapi/composed.ts";
import { type OpenApiOptions, openApiDocument } from "../../rest/openapi/document.ts";
import type { ResolvedAggregate } from "../aggregate/resolved.ts";
import type { Contract } from "../routes/contract.ts";
import type { Routes } from "../routes/route-table.ts";
import { methodRefused, type PageContent, pageAnswer, pageContent } from "./page.ts";

/** What the page is made of. */
export interface OpenApiPageOptions {
  readonly routes: Followed<Routes>;
  readonly about: OpenApiOptions;
  readonly log: Logger;
}

type Contracts = ReadonlyMap<string, Contract>;

/**
 * `/openapi.json`: what is routed at this moment, in OpenAPI. It is made when somebody asks for the first time after a
 * change, and kept until the next one. If one cannot be made, the last one stays.
 */
export class OpenApiPage {
  readonly #options: OpenApiPageOptions;
  #made: { readonly of: Contracts; readonly content: PageContent } | undefined;

  constructor(options: OpenApiPageOptions) {
    this.#options = options;
  }

  answer(request: UniversalServerRequest): UniversalServerResponse {
    return methodRefused(request) ?? pageAnswer(request, this.#content(this.#options.routes.value));
  }

  /** Aggregates are resolved anew with contracts alone. */
  #content(routes: Routes): PageContent {
    if (this.#made?.of === routes.contracts) return this.#made.content;
    const content = this.#make(routes);
    this.#made = { of: routes.contracts, content };
    return content;
  }

  #make({ contracts, aggregates }: Routes): PageContent {
    const { about, log } = this.#options;
    const services = [...contracts.values()].map(({ service }) => service);
    try {
      const shown = aggregates.filter(({ isHidden }) => !isHidden);
      const document = openApiDocument(services, { ...about, composed: shown.map(composedPath) });
      return pageContent("application/json", JSON.stringify(document));
    } catch (reason) {
      const problem = messageOf(reason);
      log.error("the routes cannot be documented; the document of before stays", { problem });
      return this.#made?.content ?? pageContent("application/json", JSON.stringify(openApiDocument([], about)));
    }
  }
}

function composedPath({ aggregate, timeoutMs, parts }: ResolvedAggregate): ComposedPath {
  const { path, description, query } = aggregate;
  return {
    ...{ path, description, query, timeoutMs },
    parts: parts.map(({ part, call }) => ({
      name: part.name,
      required: part.required,
      many: part.many !== undefined,
      method: call?.method,
      show: call?.show,
    })),
  };
}
