import { type DescMethod, fromJson, getOption, type Message, toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { http } from "../../../../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../../../../gen/google/api/http_pb.ts";
import { contractRegistry } from "../../../rest/registry.ts";
import { transcoder } from "../../../rest/transcoder.ts";
import { readAnswer, restRequest } from "../../../testing/rest-caller.ts";
import { contracts } from "./contracts.ts";
import { encode, patternOf } from "./encoder.ts";
import { anyRequest } from "./requests.ts";

interface Bound {
  readonly method: DescMethod;
  readonly rule: HttpRule;
}

function boundOf(method: DescMethod): readonly Bound[] {
  const rule = getOption(method, http);
  if (
    rule.pattern.case === undefined ||
    method.methodKind === "client_streaming" ||
    method.methodKind === "bidi_streaming"
  )
    return [];
  return [rule, ...rule.additionalBindings].map((each) => ({ method, rule: each }));
}

const services = await contracts();
const registry = contractRegistry(services);
const all = services.flatMap(({ methods }) => methods.flatMap(boundOf));

/** What the transport was given last. */
const seen: { method?: DescMethod; message?: Message } = {};
const stopped = new Error("seen enough");
const transport = {
  async unary(method: DescMethod, _signal: unknown, _timeoutMs: unknown, _header: unknown, message: Message) {
    Object.assign(seen, { method, message });
    throw stopped;
  },
  async stream(
    method: DescMethod,
    _signal: unknown,
    _timeoutMs: unknown,
    _header: unknown,
    messages: AsyncIterable<Message>,
  ) {
    for await (const message of messages) Object.assign(seen, { method, message });
    throw stopped;
  },
} as unknown as Transport;
const rest = transcoder({ services, transport });

test("there are bindings of every contract to try", () => {
  expect(services.length).toBeGreaterThan(5);
  expect(all.length).toBeGreaterThan(60);
});

test.each(all.map((bound) => [title(bound), bound] as const))(
  "%s: what is sent is what arrives",
  async (_, { method, rule }) => {
    const { input } = method;
    const cases = fc.record({ json: anyRequest(input, rule), jsonNames: fc.boolean(), plain: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(cases, async ({ json, jsonNames, plain }) => {
        const sent = encode(method, rule, json, jsonNames);
        const url = plain ? sent.url.replace(/^\/v1\//, "/api/") : sent.url;
        const header: Record<string, string> = sent.contentType === "" ? {} : { "content-type": sent.contentType };
        delete seen.message;
        const answer = await rest(restRequest(sent.method, url, { body: sent.body, header }));
        const told = answer && (await readAnswer(answer)).text;
        expect(String(seen.message && seen.method), `${sent.method} ${url} ${sent.body} → ${told}`).toBe(
          String(method),
        );
        const got = seen.message && toJson(input, seen.message, { registry });
        expect(got).toEqual(toJson(input, fromJson(input, json, { registry }), { registry }));
      }),
      { numRuns: 60 },
    );
  },
);

function title({ method, rule }: Bound): string {
  return `${method.parent.typeName}.${method.name} as ${patternOf(rule).join(" ")}${rule.body && ` with body ${rule.body}`}`;
}
