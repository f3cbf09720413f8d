import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  getOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../../../gen/google/api/http_pb.ts";
import { method as methodOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { fieldsAlong, isFieldMask, isTextual } from "../fields.ts";
import { isHttpBody, isHttpBodyField } from "../raw/http-body.ts";
import {
  type Binding,
  type BodyRule,
  type BoundVariable,
  type LocationRule,
  type RestMethod,
  RuleError,
} from "./binding.ts";
import { parseTemplate, type Template, type Variable } from "./template.ts";

/**
 * Every binding of a service, additional ones included. Methods whose requests are streams are called over WebSockets,
 * which are opened by GET: of their rules only those count, and uploads, whose body is a stream of google.api.HttpBody.
 */
export function bindingsOf(service: DescService): readonly Binding[] {
  return (service.methods as readonly RestMethod[]).flatMap((method) => {
    const bindings = methodBindings(method);
    return asksWithStream(method)
      ? bindings.filter(({ httpMethod, body }) => httpMethod === "GET" || body.kind === "raw")
      : bindings;
  });
}

/** Whether a method takes one request message. */
export function takesOneRequest(method: DescMethod): method is DescMethodUnary | DescMethodServerStreaming {
  return !asksWithStream(method);
}

function asksWithStream({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

function methodBindings(method: RestMethod): readonly Binding[] {
  const rule = getOption(method, http);
  if (rule.pattern.case === undefined && rule.additionalBindings.length === 0) return [];
  if (rule.additionalBindings.some((additional) => additional.additionalBindings.length > 0)) {
    throw new RuleError(method, "additional_bindings may not be nested");
  }
  return [rule, ...rule.additionalBindings].map((each) => bindingOf(method, each));
}

function bindingOf(method: RestMethod, rule: HttpRule): Binding {
  const [httpMethod, path] = patternOf(method, rule);
  const template = asRule(method, () => parseTemplate(path));
  const ruled = bodyRule(method, rule.body);
  const isUpload = method.methodKind === "client_streaming" && ruled.kind === "raw" && httpMethod !== "GET";
  const body: BodyRule = asksWithStream(method) && !isUpload ? { kind: "all" } : ruled; // a message is a body
  const variables = template.variables.map((variable) => boundVariable(method, method.input, variable));
  if ("field" in body && variables.some(({ fields }) => fields.length === 1 && fields[0] === body.field)) {
    throw new RuleError(method, `"${rule.body}" is both the body and in the path`);
  }
  const responseBody =
    rule.responseBody === "" ? undefined : fieldOf(method, method.output, rule.responseBody, "response_body");
  return {
    method,
    httpMethod,
    template,
    variables,
    body,
    responseBody,
    rawResponse: responseBody === undefined ? isHttpBody(method.output) : isHttpBodyField(responseBody),
    created: locationRule(method),
    mask: httpMethod === "PATCH" && body.kind === "field" ? maskOf(method.input) : undefined,
  };
}

/** "*", or a token of RFC 9110 §5.6.2. */
const methodPattern = /^(?:\*|[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/;

function patternOf(method: DescMethod, { pattern }: HttpRule): readonly [string, string] {
  if (pattern.case === undefined) throw new RuleError(method, "a google.api.http rule without a path");
  if (pattern.case !== "custom") return [pattern.case.toUpperCase(), pattern.value];
  const { kind, path } = pattern.value;
  if (!methodPattern.test(kind)) throw new RuleError(method, `"${kind}" is no HTTP method`);
  return [kind.toUpperCase(), path];
}

function bodyRule(method: DescMethod, body: string): BodyRule {
  if (body === "") return { kind: "none" };
  if (body === "*") return isHttpBody(method.input) ? { kind: "raw", field: undefined } : { kind: "all" };
  const field = fieldOf(method, method.input, body, "body");
  return { kind: isHttpBodyField(field) ? "raw" : "field", field };
}

function fieldOf(method: DescMethod, desc: DescMessage, name: string, option: string): DescField {
  const field = desc.fields.find((each) => each.name === name);
  if (field === undefined) throw new RuleError(method, `${option}: ${desc.typeName} has no field "${name}"`);
  return field;
}

function boundVariable(method: DescMethod, desc: DescMessage, variable: Variable): BoundVariable {
  const fields = fieldsAlong(desc, variable.path);
  if (typeof fields === "string") throw new RuleError(method, `path variable "${variable.path}": ${fields}`);
  const field = fields.at(-1);
  if (field === undefined || field.fieldKind === "list" || !isTextual(field)) {
    throw new RuleError(method, `path variable "${variable.path}": its type cannot stand in a path`);
  }
  return { ...variable, fields };
}

function locationRule(method: DescMethod): LocationRule | undefined {
  const location = getOption(method, methodOption).created?.location;
  if (location === undefined) return undefined;
  const template = asRule(method, () => parseTemplate(location));
  if (template.segments.length !== coveredOrLiteral(template)) {
    throw new RuleError(method, `created.location "${location}": a wildcard outside a variable has no value`);
  }
  const variables = template.variables.map((variable) => boundVariable(method, method.output, variable));
  const unfit = variables.find(
    ({ fields }) => fields.at(-1)?.fieldKind !== "scalar" || fields.at(-1)?.scalar === ScalarType.BYTES,
  );
  if (unfit !== undefined) throw new RuleError(method, `created.location: "${unfit.path}" is not a scalar`);
  return { template, variables };
}

function coveredOrLiteral({ segments, variables }: Template): number {
  const covered = (i: number) => variables.some(({ start, end = segments.length }) => i >= start && i < end);
  return segments.filter((segment, i) => segment.kind === "literal" || covered(i)).length;
}

function maskOf(desc: DescMessage): DescField | undefined {
  const masks = desc.fields.filter((field) => isFieldMask(field) && field.oneof === undefined);
  return masks.find((field) => field.name === "update_mask") ?? (masks.length === 1 ? masks[0] : undefined);
}

function asRule<T>(method: DescMethod, make: () => T): T {
  try {
    return make();
  } catch (reason) {
    throw new RuleError(method, messageOf(reason));
  }
}
