import type {
  DescField,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";
import type { Template, Variable } from "./template.ts";

/** A method of a known shape. Those whose requests are a stream take them over a WebSocket. */
export type RestMethod =
  | DescMethodUnary
  | DescMethodServerStreaming
  | DescMethodClientStreaming
  | DescMethodBiDiStreaming;

/** Where the request's body goes. */
export type BodyRule =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "field"; readonly field: DescField }
  /** A google.api.HttpBody is made of the body's bytes: the request itself, or its field. */
  | { readonly kind: "raw"; readonly field: DescField | undefined };

/** A template's variable with the fields it leads through, outermost first. */
export interface BoundVariable extends Variable {
  readonly fields: readonly DescField[];
}

/** Where a created resource is found, with fields of the response in its variables. */
export interface LocationRule {
  readonly template: Template;
  readonly variables: readonly BoundVariable[];
}

/** One way to call one method: a google.api.http rule, checked against the method's messages. */
export interface Binding {
  readonly method: RestMethod;
  /** GET, PUT, …, or "*" for any. */
  readonly httpMethod: string;
  readonly template: Template;
  readonly variables: readonly BoundVariable[];
  readonly body: BodyRule;
  readonly responseBody: DescField | undefined;
  /** The answer is the bytes of a google.api.HttpBody: the response, or its `responseBody`. */
  readonly rawResponse: boolean;
  readonly created: LocationRule | undefined;
  /** The field mask that a PATCH without one fills from its body. */
  readonly mask: DescField | undefined;
}

/** A contract's rule cannot be served; the message names the method and the reason. */
export class RuleError extends Error {
  constructor(method: DescMethod, reason: string) {
    super(`${dottedName(method)}: ${reason}`);
    this.name = "RuleError";
  }
}

/** A method as errors name it: "shop.user.v1.UserService.GetUser". */
export function dottedName(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}
