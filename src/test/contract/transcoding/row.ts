import { create, fromJson, type JsonObject, type Message, toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { type HttpRule, HttpRuleSchema } from "../../../../gen/google/api/http_pb.ts";
import { contractRegistry } from "../../../rest/registry.ts";
import { transcoder } from "../../../rest/transcoder.ts";
import { type RestAnswer, readAnswer, restRequest } from "../../../testing/rest-caller.ts";
import { type ScratchMethod, scratchService } from "../../../testing/scratch-contract.ts";

/** One clause of the specification, with a rule and a request that show it. */
export interface Row {
  readonly says: string;
  /** "GET /v1/{name} body=* response_body=inner", several methods' rules one per entry, additional bindings after "+". */
  readonly rules: string | readonly string[];
  /** "GET /v1/abc?flag=true" */
  readonly ask: string;
  /** Text as it is, else JSON. */
  readonly body?: unknown;
  readonly header?: Readonly<Record<string, string>>;
  /** The message that the method gets, as protojson without defaults. */
  readonly arrives?: JsonObject;
  /** Which of the rules the request is for, counted from 0. */
  readonly reaches?: number;
  /** What the method answers, as protojson. By default the request. */
  readonly replies?: JsonObject;
  /** The answer's body. */
  readonly answers?: unknown;
  /** If unset, 200; 404 for a path that nobody has. */
  readonly status?: number;
  /** Part of the error's message. */
  readonly message?: string;
}

/** What became of a row's request. */
export interface Outcome {
  readonly status: number;
  readonly answer: RestAnswer | undefined;
  readonly reached: number | undefined;
  readonly arrived: unknown;
}

/** Makes a contract of the row's rules, and sends its request through a transcoder. */
export async function play(row: Row): Promise<Outcome> {
  const texts = typeof row.rules === "string" ? [row.rules] : row.rules;
  const service = scratchService(...texts.map(methodOf));
  const registry = contractRegistry([service]);
  let seen: { readonly reached: number; readonly arrived: unknown } | undefined;
  const unary = async (method: (typeof service.methods)[number], message: Message) => {
    seen = { reached: service.methods.indexOf(method), arrived: toJson(method.input, message, { registry }) };
    const reply = row.replies === undefined ? message : fromJson(method.output, row.replies, { registry });
    return { stream: false, service, method, header: new Headers(), trailer: new Headers(), message: reply };
  };
  const transport = {
    unary: (method: never, _signal: never, _timeout: never, _header: never, message: never) => unary(method, message),
  } as unknown as Transport;
  const [method = "", url = ""] = row.ask.split(" ");
  const { body, header = {} } = row;
  const answered = await transcoder({ services: [service], transport })(restRequest(method, url, { body, header }));
  const answer = answered && (await readAnswer(answered));
  return { status: answer?.status ?? 404, answer, reached: seen?.reached, arrived: seen?.arrived };
}

/** A method of a rule written in one line. */
export function methodOf(text: string, index: number): ScratchMethod {
  const [first, ...additional] = text.split(" + ").map(ruleOf);
  return { name: `Method${index}`, rule: { ...(first ?? create(HttpRuleSchema)), additionalBindings: additional } };
}

const verbs = { GET: "get", PUT: "put", POST: "post", DELETE: "delete", PATCH: "patch" } as const;

function ruleOf(text: string): HttpRule {
  const [kind = "", path = "", ...options] = text.split(" ");
  const option = (name: string) => options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const verb = kind in verbs ? verbs[kind as keyof typeof verbs] : undefined;
  return create(HttpRuleSchema, {
    pattern: verb === undefined ? { case: "custom", value: { kind, path } } : { case: verb, value: path },
    body: option("body"),
    responseBody: option("response_body"),
  });
}
