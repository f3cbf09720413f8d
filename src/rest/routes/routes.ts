import type { DescService, Registry } from "@bufbuild/protobuf";
import type { JsonStyle } from "../json/style.ts";
import { type PathEncoder, pathEncoder } from "../request/path-variables.ts";
import { type RequestReader, requestReader } from "../request/request.ts";
import { type LocationReader, locationReader } from "../response/location.ts";
import {
  type JsonOutput,
  type RawReader,
  type ResponseWriter,
  rawReader,
  responseWriter,
} from "../response/response.ts";
import { type Binding, dottedName, RuleError } from "./binding.ts";
import { bindingsOf } from "./rules.ts";
import type { Template } from "./template.ts";
import { RouteTrie } from "./trie.ts";

/** One binding with everything that can be planned before the first request. */
export interface Route {
  readonly binding: Binding;
  readonly read: RequestReader;
  /** Where requests without a query may be sent as bytes that no message was made for. */
  readonly encode: PathEncoder | undefined;
  readonly write: ResponseWriter;
  /** Takes the bytes of the answer out of a response, where it holds a google.api.HttpBody. */
  readonly rawOf: RawReader | undefined;
  /** Says where what was created is, where something is. */
  readonly locationOf: LocationReader | undefined;
}

/** What routes are planned with. */
export interface RoutePlan {
  /** What an `Any` may hold. */
  readonly registry: Registry;
  readonly json: JsonOutput;
}

/**
 * Plans the routes of all services. Each path under `/v1` is served under `/api` as well, in the plain JSON style;
 * a contract's own path under `/api` goes before such an alias. Two methods that claim one route are refused.
 */
export function routesOf(services: readonly DescService[], plan: RoutePlan): RouteTrie<Route> {
  const trie = new RouteTrie<Route>();
  const bindings = services.flatMap(bindingsOf);
  for (const binding of bindings) {
    const { httpMethod, template } = binding;
    const owner = trie.insert(httpMethod, template, planRoute(binding, "protojson", plan));
    if (owner !== undefined) throw claimedTwice(binding, owner.binding);
  }
  for (const binding of bindings) {
    const alias = aliasOf(binding);
    if (alias !== undefined) trie.insert(alias.httpMethod, alias.template, planRoute(alias, "plain", plan));
  }
  return trie;
}

/** Plans one binding's route, in one style of JSON. */
export function planRoute(binding: Binding, style: JsonStyle, { registry, json }: RoutePlan): Route {
  return {
    binding,
    read: requestReader(binding, style, registry),
    encode: pathEncoder(binding),
    write: responseWriter(binding, style, { ...json, registry }),
    rawOf: rawReader(binding),
    locationOf: locationReader(binding),
  };
}

function claimedTwice(binding: Binding, owner: Binding): RuleError {
  const other = owner.template.source === binding.template.source ? "" : ` (as ${owner.template.source})`;
  return new RuleError(
    binding.method,
    `${binding.httpMethod} ${binding.template.source} belongs to ${dottedName(owner.method)} already${other}`,
  );
}

function aliasOf(binding: Binding): Binding | undefined {
  const template = aliasTemplate(binding.template);
  if (template === undefined) return undefined;
  const location = binding.created && aliasTemplate(binding.created.template);
  const created = binding.created && location ? { ...binding.created, template: location } : binding.created;
  return { ...binding, template, created };
}

/** `undefined` for a path that does not begin with a fixed `/v1`. */
function aliasTemplate(template: Template): Template | undefined {
  const [first, ...others] = template.segments;
  if (first?.kind !== "literal" || first.text !== "v1" || template.variables.some(({ start }) => start === 0))
    return undefined;
  const source = template.source.replace("/v1", "/api");
  return { ...template, source, segments: [{ kind: "literal", text: "api" }, ...others] };
}
