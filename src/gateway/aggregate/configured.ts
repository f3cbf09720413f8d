import type { JsonValue } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type {
  Aggregate as AggregateMessage,
  Part as PartMessage,
} from "../../../gen/heddle/gateway/v1/aggregate_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { fieldsAlong } from "../../rest/fields.ts";
import { messageReader } from "../../rest/json/input.ts";
import { contractRegistry } from "../../rest/registry.ts";
import { parseTemplate } from "../../rest/routes/template.ts";
import {
  type Aggregate,
  CompositionError,
  defaultFanOut,
  type Given,
  type KnownContracts,
  type Part,
  type PartCall,
  partOf,
} from "./aggregate.ts";
import { complaintsAbout, inOrder } from "./check.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { readableMethod, shownField } from "./method.ts";
import { readerOf } from "./reader.ts";
import { requestField, treeOf } from "./request-tree.ts";

/** An aggregate as a plan describes it. Throws CompositionError with all that can be seen to be wrong without contracts. */
export function configuredAggregate(message: AggregateMessage): Aggregate {
  const { path, description, timeout, query } = message;
  const complaints: string[] = [];
  const parts = message.parts.map((part) => {
    const found = configuredPart(message, part);
    complaints.push(...found.complaints.map((complaint) => `${partOf(path, part.name)}: ${complaint}`));
    return found.part;
  });
  const aggregate: Aggregate = { path, description, timeoutMs: timeout && durationMs(timeout), query, parts };
  const wrong = [...complaintsAbout(aggregate), ...complaints];
  if (wrong.length > 0) throw new CompositionError(wrong);
  return { ...aggregate, parts: inOrder(path, parts) };
}

/** A part whose expressions have been read. */
interface Read {
  readonly message: PartMessage;
  readonly each: Expression | undefined;
  readonly request: readonly (readonly [field: string, expression: Expression])[];
}

function configuredPart(aggregate: AggregateMessage, message: PartMessage) {
  const complaints: string[] = [];
  const read = (where: string, text: string): Expression | undefined => {
    try {
      const expression = parseExpression(text);
      const wrong = misplaced(aggregate, message, expression);
      if (wrong !== undefined) complaints.push(`${where}: ${wrong}`);
      return expression;
    } catch (reason) {
      complaints.push(`${where}: ${messageOf(reason)}`);
      return undefined;
    }
  };
  if (!/^[\w.]+\/\w+$/.test(message.method)) {
    complaints.push(`method: "${message.method}" has to be like "shop.user.v1.UserService/GetUser"`);
  }
  const each = message.each === "" ? undefined : read("each", message.each);
  if (each !== undefined && each.kind !== "part") complaints.push(`each: "${message.each}" is no part's answer`);
  const request = Object.entries(message.request).flatMap(([field, text]) => {
    const expression = read(`request.${field}`, text);
    return expression === undefined ? [] : [[field, expression] as const];
  });
  const expressions = [...(each ? [each] : []), ...request.map(([, expression]) => expression)];
  const after = new Set(expressions.flatMap((expression) => (expression.kind === "part" ? [expression.part] : [])));
  const { name, required, maxCalls, maxAtOnce } = message;
  const fanOut = { maxCalls: maxCalls || defaultFanOut.maxCalls, maxAtOnce: maxAtOnce || defaultFanOut.maxAtOnce };
  const part: Part = {
    name,
    after: [...after],
    required,
    many: message.each === "" ? undefined : fanOut,
    resolve: (known) => resolve({ message, each, request }, known),
  };
  return { part, complaints };
}

function misplaced({ path, query }: AggregateMessage, part: PartMessage, expression: Expression): string | undefined {
  switch (expression.kind) {
    case "path": {
      const variables = variablesIn(path);
      if (variables.includes(expression.name)) return undefined;
      return `the path has no variable "${expression.name}"; it has ${variables.join(", ") || "none"}`;
    }
    case "query":
      return query.includes(expression.name) ? undefined : `"${expression.name}" is not listed in query`;
    case "each":
      return part.each === "" ? '"each" stands for one of several values, and the part has no each' : undefined;
    default:
      return undefined;
  }
}

function variablesIn(path: string): readonly string[] {
  try {
    return parseTemplate(path).variables.map((variable) => variable.path);
  } catch {
    return []; // what is wrong with the path is said already
  }
}

function resolve({ message, each, request }: Read, known: KnownContracts): PartCall {
  const [typeName = "", name] = message.method.split("/");
  const service = known.service(typeName);
  if (service === undefined) throw new Error(`${typeName} is not routed`);
  const found = service.methods.find((method) => method.name === name);
  if (found === undefined) throw new Error(`${typeName} has no method ${name}`);
  const method = readableMethod(found);
  const show = shownField(method, message.show);
  const values = each && readerOf(each, { known, each: undefined });
  const fields = request.map(([path, expression]) => {
    const along = fieldsAlong(method.input, path);
    if (typeof along === "string") throw new Error(`request.${path}: ${along}`);
    return requestField(along, path, readerOf(expression, { known, each: values }));
  });
  const read = messageReader(method.input, "protojson", contractRegistry([service]));
  const one = (given: Given, value: JsonValue | undefined) => read(treeOf(fields, given, value));
  return {
    method,
    show,
    requests: (given) => (values ? values.values(given).map((value) => one(given, value)) : [one(given, undefined)]),
  };
}
