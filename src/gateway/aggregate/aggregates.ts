import type { DescService } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import type { Transport } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { JsonStyle } from "../../rest/json/style.ts";
import { badField, urlTooLong, wrongMethod } from "../../rest/refusal.ts";
import { contractRegistry } from "../../rest/registry.ts";
import { variableText } from "../../rest/request/path-variables.ts";
import { parseQuery } from "../../rest/request/query.ts";
import { callHeaders, jsonAnswer } from "../../rest/response/answer.ts";
import { errorAnswer } from "../../rest/response/error.ts";
import type { JsonOutput } from "../../rest/response/response.ts";
import { parseTemplate, type Template } from "../../rest/routes/template.ts";
import { RouteTrie } from "../../rest/routes/trie.ts";
import { maxUrlLength } from "../../rest/transcoder.ts";
import { pathOf } from "../../server/dispatch.ts";
import type { Aggregate } from "./aggregate.ts";
import { type BodyWriter, bodyWriter, type WrittenJson } from "./body.ts";
import { type ComposeRequest, type ComposeTools, compose } from "./composition.ts";
import { type ResolvedAggregate, resolveAggregate } from "./resolved.ts";

/** What aggregates are answered with. */
export interface AggregatesOptions {
  readonly aggregates: readonly Aggregate[];
  /** What is routed. */
  readonly services: readonly DescService[];
  /** The way to the services. */
  readonly transport: Transport;
  /** For aggregates that do not say how long they may take. */
  readonly timeoutMs: number;
  /** How protojson is written. If unset, as its own mapping has it, with every field. */
  readonly json?: JsonOutput;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Aggregates as they are with what is routed at one moment. */
export interface Aggregates {
  readonly resolved: readonly ResolvedAggregate[];
  /** Answers a request; `undefined` when no aggregate has its path. */
  readonly answer: (request: UniversalServerRequest) => Promise<UniversalServerResponse | undefined>;
}

/** Plans how aggregates are answered: under the path of each, and below /api in snake_case if that begins with /v1. */
export function answeringAggregates(options: AggregatesOptions): Aggregates {
  const { aggregates, services, timeoutMs, json = {}, ...given } = options;
  const resolved = aggregates.map((aggregate) => resolveAggregate(aggregate, { services, timeoutMs }));
  const tools: ComposeTools = { ...given, registry: contractRegistry(servicesOf(resolved)) };
  const trie = trieOf(resolved, { ...json, registry: tools.registry });
  return {
    resolved,
    async answer(request) {
      const found = trie.find(request.method, pathOf(request.url));
      if (found === undefined || (found.kind === "wrong-method" && request.method === "OPTIONS")) return undefined;
      try {
        if (found.kind === "wrong-method") throw wrongMethod(request.method, found.allow);
        if (request.url.length > maxUrlLength) throw urlTooLong(maxUrlLength);
        return await answer(found.value, asked(found.value, found.segments, request), { request, tools });
      } catch (reason) {
        return errorAnswer(reason, request, tools.registry);
      }
    },
  };
}

interface Route {
  readonly resolved: ResolvedAggregate;
  readonly template: Template;
  readonly write: BodyWriter;
}

function trieOf(all: readonly ResolvedAggregate[], json: WrittenJson): RouteTrie<Route> {
  const trie = new RouteTrie<Route>();
  const insert = (resolved: ResolvedAggregate, path: string, style: JsonStyle) => {
    const template = parseTemplate(path);
    trie.insert("GET", template, { resolved, template, write: bodyWriter(resolved, style, json) });
  };
  for (const each of all) insert(each, each.aggregate.path, "protojson");
  for (const each of all) {
    const { path } = each.aggregate;
    if (path.startsWith("/v1/")) insert(each, path.replace("/v1/", "/api/"), "plain");
  }
  return trie;
}

/** Whose messages may be in an answer: also those of methods that are called without being routed. */
function servicesOf(all: readonly ResolvedAggregate[]): readonly DescService[] {
  return [...new Set(all.flatMap(({ parts }) => parts.flatMap(({ call }) => call?.method.parent ?? [])))];
}

function asked(
  { resolved, template }: Route,
  segments: readonly string[],
  request: UniversalServerRequest,
): ComposeRequest {
  const { header, signal, url, contextValues: values } = request;
  const path = Object.fromEntries(
    template.variables.map((variable) => [variable.path, variableText(variable, segments)]),
  );
  return { path, query: queryOf(resolved.aggregate, url), header: callHeaders(header), values, signal };
}

function queryOf({ query: known }: Aggregate, url: string): Readonly<Record<string, string>> {
  const mark = url.indexOf("?");
  const given: Record<string, string> = {};
  for (const [name, text] of mark < 0 ? [] : parseQuery(url.slice(mark + 1))) {
    const wanted = known.find((each) => each === name || protoCamelCase(each) === name);
    if (wanted === undefined) throw badField(name, "unknown query parameter");
    if (Object.hasOwn(given, wanted)) throw badField(name, "is given twice");
    given[wanted] = text;
  }
  return given;
}

interface Answering {
  readonly request: UniversalServerRequest;
  readonly tools: ComposeTools;
}

async function answer({ resolved, write }: Route, asking: ComposeRequest, { request, tools }: Answering) {
  const composed = await compose(resolved, asking, tools);
  const header = new Headers();
  if (composed.missing.length > 0) header.set("cache-control", "no-store"); // the next one may be whole
  return jsonAnswer(200, write(composed), header, request.method);
}
