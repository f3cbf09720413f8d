import type { DescService } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "../../base/log.ts";
import type { Followed } from "../../base/watch.ts";
import { type OpenApiOptions, openApiDocument } from "../../rest/openapi/document.ts";
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
    return methodRefused(request) ?? pageAnswer(request, this.#content(this.#options.routes.value.contracts));
  }

  #content(contracts: Contracts): PageContent {
    if (this.#made?.of === contracts) return this.#made.content;
    const content = this.#make([...contracts.values()].map(({ service }) => service));
    this.#made = { of: contracts, content };
    return content;
  }

  #make(services: readonly DescService[]): PageContent {
    const { about, log } = this.#options;
    try {
      return pageContent("application/json", JSON.stringify(openApiDocument(services, about)));
    } catch (reason) {
      const problem = reason instanceof Error ? reason.message : String(reason);
      log.error("the routes cannot be documented; the document of before stays", { problem });
      return this.#made?.content ?? pageContent("application/json", JSON.stringify(openApiDocument([], about)));
    }
  }
}
