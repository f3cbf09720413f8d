import { type DescMethod, fromJson, getOption, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../../../gen/google/api/http_pb.ts";
import { failureOfStatus } from "./failure.ts";
import { fromPlain, isObject, plainName, toPlain } from "./plain-json.ts";
import type { Call, Outcome, Way } from "./rpc-ways.ts";

/** One google.api.http rule in one of its spellings. */
interface Path {
  readonly verb: string;
  readonly template: string;
  readonly body: string;
  readonly responseBody: string;
  readonly style: "v1" | "api";
}

/** How many paths a rule has: `/api` is `/v1` for clients that know nothing of Protobuf, and no other version. */
export function spellingsOf(template: string): number {
  return template.startsWith("/v1/") ? 2 : 1;
}

/**
 * REST as its clients see it: every rule of the method, under its path, and those of `/v1` under `/api` as well. It reads the annotations by
 * itself, so that the transcoder is held against the contract and not against its own reading of it.
 */
export function restWaysOf(method: DescMethod): readonly Way[] {
  return pathsOf(method).map((path) => ({
    name: `${path.verb} ${path.template}`,
    call: (call) => ask(path, call),
  }));
}

function pathsOf(method: DescMethod): readonly Path[] {
  const rule = getOption(method, http);
  if (rule.pattern.case === undefined) return [];
  return [rule, ...rule.additionalBindings].flatMap(({ pattern, body, responseBody }) => {
    const [verb, template] = verbAndPath(pattern);
    const v1 = { verb, template, body, responseBody, style: "v1" as const };
    const api = { ...v1, template: template.replace("/v1/", "/api/"), style: "api" as const };
    return [v1, api].slice(0, spellingsOf(template));
  });
}

function verbAndPath(pattern: HttpRule["pattern"]): readonly [string, string] {
  if (pattern.case === undefined || pattern.case === "custom")
    throw new Error("a rule of a kind that is not tried here");
  return [pattern.case.toUpperCase(), pattern.value];
}

async function ask(path: Path, { method, origin, requests: [request], authorization, take }: Call): Promise<Outcome> {
  if (request === undefined) throw new Error(`${method.name} is asked with a request`);
  const json = toJson(method.input, request);
  const { target, body } = place(
    path,
    method,
    (path.style === "v1" ? json : toPlain(method.input, json)) as JsonObject,
  );
  const response = await fetch(origin + target, {
    method: path.verb,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const http = { status: response.status, header: response.headers };
  if (!response.ok) return { http, answers: [], failure: failureOfStatus((await response.json()) as JsonValue) };
  const told = method.methodKind === "unary" ? [await response.json()] : await lines(response, take);
  return { http, failure: undefined, answers: told.map((each) => read(path, method, each as JsonValue)) };
}

/** Puts a request where its rule says: into the path, the body, and the query string for what is left. */
function place({ template, body: rule, style }: Path, method: DescMethod, json: JsonObject) {
  const rest = structuredClone(json);
  const path = template.replaceAll(/\{([^}]+)\}/g, (_, variable: string) => takeOut(rest, variable.split(".")));
  if (rule === "*") return { target: path, body: rest };
  const field = method.input.fields.find(({ name }) => name === rule);
  const key = field && (style === "v1" ? field.jsonName : plainName(field));
  const body = key === undefined ? undefined : (rest[key] ?? {});
  if (key !== undefined) delete rest[key];
  const query = new URLSearchParams(flat(rest, "")).toString();
  return { target: query === "" ? path : `${path}?${query}`, body };
}

/** Takes a value out of the JSON by its path in proto names, which may be spelt either way there. */
function takeOut(json: JsonObject, [name = "", ...below]: readonly string[]): string {
  const key = name in json ? name : name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const value = json[key];
  if (below.length > 0) return isObject(value) ? takeOut(value, below) : "0";
  delete json[key];
  return encodeURIComponent(value === undefined ? "0" : String(value)); // protojson leaves out zeros
}

function flat(json: JsonValue, prefix: string): [string, string][] {
  if (Array.isArray(json)) return json.flatMap((item) => flat(item, prefix));
  if (!isObject(json)) return [[prefix, String(json)]];
  return Object.entries(json).flatMap(([key, value]) => flat(value, prefix === "" ? key : `${prefix}.${key}`));
}

function read({ responseBody, style }: Path, { output }: DescMethod, json: JsonValue) {
  const field = output.fields.find(({ name }) => name === responseBody);
  const key = field && (style === "v1" ? field.jsonName : plainName(field));
  const whole = key === undefined ? json : { [key]: json };
  return fromJson(output, style === "v1" ? whole : fromPlain(output, whole));
}

/** A line of JSON for each message, until there are enough or no more. */
async function lines({ body, headers }: Response, take = Number.POSITIVE_INFINITY): Promise<JsonValue[]> {
  if (headers.get("content-type") !== "application/x-ndjson")
    throw new Error(`no lines: ${headers.get("content-type")}`);
  const told: JsonValue[] = [];
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      told.push(JSON.parse(text.slice(0, end)) as JsonValue);
      text = text.slice(end + 1);
    }
    if (told.length >= take) break;
  }
  return told;
}
