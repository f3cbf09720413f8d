import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bindingsOf } from "../../../rest/routes/rules.ts";
import { transcoder } from "../../../rest/transcoder.ts";
import { type RestAnswer, readAnswer, restRequest } from "../../../testing/rest-caller.ts";
import { contracts } from "./contracts.ts";
import { anyText } from "./messages.ts";

const services = await contracts();
const bindings = services.flatMap(bindingsOf);

/** Everything that arrives is answered: whatever is wrong is wrong with the transcoder. */
const willing = {
  async unary(method: DescMethod, _signal: unknown, _timeoutMs: unknown, header: Headers, message: Message) {
    const reply = method.output === method.input ? message : create(method.output);
    return { stream: false, service: method.parent, method, header, trailer: new Headers(), message: reply };
  },
  async stream(method: DescMethod, _signal: unknown, _timeoutMs: unknown, header: Headers) {
    async function* messages() {
      yield create(method.output);
      yield create(method.output);
    }
    return { stream: true, service: method.parent, method, header, trailer: new Headers(), message: messages() };
  },
} as unknown as Transport;
const rest = transcoder({ services, transport: willing, maxBodyBytes: 5_000 });

const literals = bindings.flatMap(({ template }) =>
  template.segments.flatMap((segment) => (segment.kind === "literal" ? [segment.text] : [])),
);
const names = [
  ...new Set(bindings.flatMap(({ method }) => method.input.fields.flatMap(({ name, jsonName }) => [name, jsonName]))),
];

const escaped = anyText.map(encodeURIComponent);
const brokenText = fc.constantFrom(
  "%",
  "%z",
  "%ff",
  "%C3",
  "\0",
  "é",
  "{name}",
  "**",
  "*",
  ":",
  "::",
  "//",
  "?",
  "#",
  "[",
  "]",
  "[]",
  "].",
  "__proto__",
);
const loose = fc.oneof({ weight: 4, arbitrary: escaped }, brokenText, fc.string({ maxLength: 6, unit: "binary" }));

/** A path of some binding, with anything in its places; now and then it has more or less. */
const aimedPath = fc
  .tuple(fc.constantFrom(...bindings), fc.array(loose, { minLength: 8, maxLength: 8 }), fc.nat(20))
  .map(([{ template, httpMethod }, texts, luck]) => {
    const parts = template.segments.map((segment, i) => (segment.kind === "literal" ? segment.text : (texts[i] ?? "")));
    const path = `/${(luck === 0 ? parts.slice(1) : parts).join("/")}${template.verb && `:${template.verb}`}${luck === 1 ? "/" : ""}`;
    return { method: httpMethod === "*" ? "BREW" : httpMethod, path: luck < 8 ? path.replace("/v1/", "/api/") : path };
  });
const wildPath = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "", "G T"),
    fc.array(fc.oneof(loose, fc.constantFrom(...literals)), { maxLength: 6 }),
  )
  .map(([method, parts]) => ({ method, path: `/${parts.join("/")}` }));

const parameter = fc
  .tuple(
    fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, loose), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "[a]", "[", "]", "[]", "[__proto__]", "."),
    fc.constantFrom("=", "=", "=", "", "=="),
    loose,
  )
  .map(([path, key, equals, value]) => path.join(".") + key + equals + value);
const query = fc.oneof(
  fc.constant(""),
  fc.array(parameter, { maxLength: 4 }).map((all) => `?${all.join("&")}`),
);

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(anyText, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, anyText), tie("value"), { maxKeys: 4 }),
  ),
})).value;
const body = fc.oneof(
  { weight: 6, arbitrary: json.map((value) => JSON.stringify(value)) },
  fc
    .tuple(json, fc.nat(), fc.constantFrom("{", "}", "[", '"', ",", ":", "\\", "NaN", "1e", '{"a":1,"a":2}'))
    .map(([value, at, junk]) => {
      const text = JSON.stringify(value);
      return text.slice(0, at % (text.length + 1)) + junk + text.slice(at % (text.length + 1));
    }),
  fc.uint8Array({ maxLength: 50 }),
  fc.constantFrom("[".repeat(3_000), '{"self":'.repeat(300), "x".repeat(6_000), undefined),
);

const header = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/json; charset=utf-16",
      "text/plain",
      "image/png",
      "application/x-www-form-urlencoded",
      ";;;",
      "application/grpc",
    ),
    "content-encoding": fc.constantFrom("gzip", "identity", "nonsense"),
    "content-length": fc.constantFrom("0", "-1", "NaN", "99999999999"),
    accept: fc.constantFrom(
      "*/*",
      "application/problem+json",
      "application/problem+json;q=x",
      ";;,,q=",
      "text/event-stream",
    ),
    range: fc.constantFrom("bytes=0-1", "bytes=-1", "bytes=9-", "bytes=,", "bytes=1-0", "x"),
    "if-range": fc.constantFrom('"x"', "yesterday"),
    "x-thing": fc.constantFrom("a", ""),
  },
  { requiredKeys: [] },
);

const request = fc.record({
  aim: fc.oneof({ weight: 4, arbitrary: aimedPath }, wildPath),
  query,
  body,
  header: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, header),
});

/** What may be answered when the services take everything: it is fine, or the caller's fault. */
const allowed = [undefined, 200, 201, 206, 400, 405, 413, 414, 415, 416];
const internals = /\bat .*\.[jt]s:|node_modules|TypeError|RangeError|undefined|\[object |protobuf-es|heap|stack/;

test("whatever is asked, the answer is fine or says what is wrong with the request, and nothing of the inside", async () => {
  const statuses = new Map<number | undefined, number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ aim, query: parameters, body: content, header: headers }) => {
      const asked = {
        ...restRequest(aim.method, aim.path + parameters, { body: content, header: headers as Record<string, string> }),
      };
      const answered = await rest(asked);
      const answer = answered && (await readAnswer(answered));
      statuses.set(answer?.status, (statuses.get(answer?.status) ?? 0) + 1);
      expect(allowed, answer?.text).toContain(answer?.status);
      if (answer !== undefined && answer.status >= 400 && aim.method !== "HEAD") saysWhy(answer);
    }),
    { numRuns: 6_000, seed: 20_261_121 },
  );
  for (const status of [undefined, 200, 400, 405, 413, 415])
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(10);
});

function saysWhy({ status, header: headers, json: told, text }: RestAnswer): void {
  const { message, detail, details } = told as { message?: string; detail?: string; details?: unknown };
  expect((message ?? detail ?? "").length, text).toBeGreaterThan(5);
  expect(details, text).toBeInstanceOf(Array);
  expect(message ?? detail).not.toMatch(internals);
  if (status === 405) expect(headers.get("allow")).toMatch(/^[A-Z*-]+(, [A-Z*-]+)*$/);
}

const secrets = [
  new TypeError("hunter2"),
  new Error("hunter2"),
  "hunter2",
  undefined,
  ConnectError.from(new Error("hunter2"), Code.Internal),
  ConnectError.from(new Error("hunter2"), Code.Unavailable),
];

test.each(secrets)("an upstream that throws %s keeps its secret, in either form of errors", async (reason) => {
  const failing = { unary: () => Promise.reject(reason), stream: () => Promise.reject(reason) } as unknown as Transport;
  const broken = transcoder({ services, transport: failing });
  for (const accept of ["application/json", "application/problem+json"]) {
    const answered = await broken(restRequest("GET", "/v1/one/x", { header: { accept } }));
    const answer = answered && (await readAnswer(answered));
    expect(answer?.status).toBeGreaterThanOrEqual(500);
    expect(answer?.text).not.toContain("hunter2");
  }
});
