import type { DescService } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "../../base/log.ts";
import type { Followed } from "../../base/watch.ts";
import type { Composition } from "../../rest/openapi/compositions.ts";
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

  #content({ contracts, aggregates }: Routes): PageContent {
    if (this.#made?.of === contracts) return this.#made.content;
    const services = [...contracts.values()].map(({ service }) => service);
    const content = this.#make(services, aggregates.flatMap(compositionOf));
    this.#made = { of: contracts, content };
    return content;
  }

  #make(services: readonly DescService[], compositions: readonly Composition[]): PageContent {
    const { log } = this.#options;
    const about = { ...this.#options.about, compositions };
    try {
      return pageContent("application/json", JSON.stringify(openApiDocument(services, about)));
    } catch (reason) {
      const problem = reason instanceof Error ? reason.message : String(reason);
      log.error("the routes cannot be documented; the document of before stays", { problem });
      return (
        this.#made?.content ?? pageContent("application/json", JSON.stringify(openApiDocument([], this.#options.about)))
      );
    }
  }
}

/** As far as it can be answered by now; nothing where it cannot. */
function compositionOf({ aggregate, parts, isHidden }: ResolvedAggregate): Composition[] {
  const { path, description, query } = aggregate;
  const resolved = parts.flatMap(({ part, call }) => {
    if (call === undefined) return [];
    const { name, required, many } = part;
    return [{ name, required, many: many !== undefined, method: call.method, show: call.show }];
  });
  return isHidden || resolved.length === 0 ? [] : [{ path, description, query, parts: resolved }];
}
