import {
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  getOption,
} from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import type { Binding } from "./binding.ts";
import { planRoute, type Route, type RoutePlan } from "./routes.ts";
import { takesOneRequest } from "./rules.ts";
import { parseTemplate } from "./template.ts";

/**
 * The routes of methods that no google.api.http rule names, by path: `POST /package.Service/Method`, with the request as
 * the body. So a service without annotations is reached by whoever can send JSON.
 */
export function rpcRoutesOf(services: readonly DescService[], plan: RoutePlan): ReadonlyMap<string, Route> {
  const methods = services
    .flatMap(({ methods }) => methods.filter(takesOneRequest))
    .filter((method) => !hasRule(method));
  return new Map(methods.map(rpcBinding).map((each) => [each.template.source, planRoute(each, "protojson", plan)]));
}

/**
 * Whether a request at an RPC's path is REST's. Clients of Connect, gRPC-Web and gRPC use the same paths: what they send
 * is left to a handler of their protocol.
 */
export function isPlainPost({ method, header }: UniversalServerRequest): boolean {
  if (method !== "POST" || header.has("connect-protocol-version")) return false;
  return !ofRpcProtocols.test(header.get("content-type") ?? "");
}

const ofRpcProtocols = /^\s*application\/(?:grpc|connect\+|proto\b)/i;

function hasRule(method: DescMethod): boolean {
  const { pattern, additionalBindings } = getOption(method, http);
  return pattern.case !== undefined || additionalBindings.length > 0;
}

/** How a method without rules is called: by its name, with the request as the body. */
export function rpcBinding(method: DescMethodUnary | DescMethodServerStreaming): Binding {
  return {
    method,
    httpMethod: "POST",
    template: parseTemplate(`/${method.parent.typeName}/${method.name}`),
    variables: [],
    body: { kind: "all" },
    responseBody: undefined,
    rawResponse: false,
    created: undefined,
    mask: undefined,
  };
}
