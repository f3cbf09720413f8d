import { readFileSync } from "node:fs";
import { type DescMessage, fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { describe, expect, test } from "vitest";
import { openApiDocument } from "../../../rest/openapi/document.ts";
import { contractRegistry } from "../../../rest/registry.ts";
import type { JsonOutput } from "../../../rest/response/response.ts";
import { buildDescriptors, servicesIn } from "./build.ts";
import { schemaChecks } from "./schema-check.ts";

const set = buildDescriptors({
  "nasty/v1/nasty.proto": readFileSync(`${import.meta.dirname}/nasty.proto`, "utf8"),
});
const services = servicesIn(set, "nasty.");
const document = openApiDocument(services);
const check = schemaChecks(document);
const registry = contractRegistry(services);
const validator = createValidator();

const isInput = check({ $ref: "#/components/schemas/nasty.v1.Everything-Input" });
const isOutput = check({ $ref: "#/components/schemas/nasty.v1.Everything" });
const everything = registry.getMessage("nasty.v1.Everything") as DescMessage;

/** The least that passes. */
const base: JsonObject = {
  uuid: "0190a5c3-7a5e-7cc3-8c1f-2f0e3b7a1c55",
  agreed: true,
  left: "l",
  shortName: "s",
  inner: {},
};

/** What the service itself makes of it: reads it, and holds it to the rules of the contract. */
function isTaken(json: JsonValue): boolean {
  try {
    return validator.validate(everything, fromJson(everything, json, { registry })).kind === "valid";
  } catch {
    return false;
  }
}

const samples: Readonly<Record<string, readonly JsonValue[]>> = {
  email: ["a@example.org", "", "nobody"],
  uuid: ["0190A5C3-7A5E-7CC3-8C1F-2F0E3B7A1C55", "", "0190a5c3"],
  site: ["https://example.org/a?b#c", "", "no uri"],
  among: ["", "a", "b", "c"],
  notAmong: ["y", "", "x"],
  fixed: ["yes", "", "no"],
  affixed: ["a.+.z", "", "a.z", "b.+.z", "a.+?.z", "a.+"],
  unruled: ["", "abc"],
  data: ["", "AQID", "AQIDBA==", "AQIDBAUGBwgJ", 1],
  i32: [-4, 0, 4, -5, 5, 1.5, "x"],
  outside: [0, 11, -3, 1, 5, 10],
  u32: [0, 6, 4_294_967_295, 7, -1, 4_294_967_296],
  i64: ["0", "100", 0, 100, -1, "-1", 101, "x", 1.5],
  u64: ["0", "18446744073709551615", 0, "5", 5, "-1"],
  f32: [1.5, 0, -2, "NaN", "Infinity", "x"],
  f64: [1.5, "NaN", "-Infinity", "x", true],
  flag: [true, false, "yes", 1],
  agreed: [true, false],
  kind: ["KIND_NOVEL", "KIND_UNSPECIFIED", "KIND_OTHER", true],
  tags: [[], ["ab", "cd"], ["a"], ["ab", "ab"], ["aa", "bb", "cc", "dd"], "ab"],
  names: [{}, { 1: "a" }, { "-1": "a" }, { x: "a" }, { 1: "abcd" }, { 1: "a", 2: "b", 3: "c" }],
  kinds: [{ true: "KIND_NOVEL" }, { maybe: "KIND_NOVEL" }, { true: "NOTHING" }],
  children: [{}, { a: base }, { a: { ...base, agreed: false } }, { a: {} }],
  shortName: [""],
  right: [{ text: "r" }],
  at: ["2999-01-31T12:00:00Z", "2999-01-31", 1],
  span: ["1s", "1.5s", "4.999s", "1", "x"],
  mask: ["name,email", "", 1],
  text: ["ab", "", "abc", 1],
  long: ["1", 1, "x"],
  ratio: [1.5, "NaN", "x"],
  any: [{ "@type": "type.googleapis.com/nasty.v1.Line", text: "t" }],
  struct: [{}, { a: [1, "b", null, { c: true }] }, [], "x"],
  value: [1, "a", [], {}, true],
  list: [[], [1, "a", null], {}],
  money: [{}, { currencyCode: "EUR", units: "1", nanos: 5 }, { units: 1 }, { currency: "EUR" }, { units: "x" }],
  maybe: ["abc", "ab", ""],
  "Re-Named": ["1", 1, "x"],
  renamed_: [1],
  inner: [{}, { deep: "DEEP_UNSPECIFIED" }, { deep: "DEEPER" }, { shallow: 1 }],
  positive: ["1", 1, "10", "0", 0, "-1"],
  numbers: [[], [1, 2], ["x"], [1.5]],
};

describe("what the schema of a request takes is what the service takes", () => {
  const cases = Object.entries(samples).flatMap(([name, values]) => values.map((value) => [name, value] as const));

  test.each(cases)("%s: %j", (name, value) => {
    const json = { ...base, ...(name === "right" && { left: undefined }), [name]: value };
    const sent = JSON.parse(JSON.stringify(json)) as JsonObject;
    expect(isInput(sent) === "", isInput(sent)).toBe(isTaken(sent));
  });

  test.each(Object.keys(base))("without %s it is refused", (name) => {
    const { [name]: _, ...rest } = base;
    expect([isInput(rest) === "", isTaken(rest)]).toEqual([false, false]);
  });

  test("two members of a oneof are refused, those of the language and those of the rules", () => {
    for (const more of [{ right: {} }, { longName: "l" }]) {
      expect([isInput({ ...base, ...more }) === "", isTaken({ ...base, ...more })]).toEqual([false, false]);
    }
  });
});

describe("what an answer holds fits its schema", () => {
  const written = (json: JsonObject) =>
    toJson(everything, fromJson(everything, json, { registry }), { alwaysEmitImplicit: true, registry });

  test("of every field a value that passes", () => {
    for (const [name, values] of Object.entries(samples)) {
      for (const value of values) {
        const sent = JSON.parse(
          JSON.stringify({ ...base, ...(name === "right" && { left: undefined }), [name]: value }),
        );
        if (isTaken(sent)) expect(isOutput(written(sent)), `${name}: ${JSON.stringify(value)}`).toBe("");
      }
    }
  });

  test("an answer that lacks a field which is always written, or has one of another type, does not fit", () => {
    const answer = written(base) as JsonObject;
    expect(isOutput(answer)).toBe("");
    const { tags: _, ...rest } = answer;
    expect(isOutput(rest)).toContain("tags");
    expect(isOutput({ ...answer, i64: 5 })).toContain("i64");
    expect(isOutput({ ...answer, kind: 1 })).toContain("kind");
  });

  test("an answer may have fields that come with a later version", () => {
    expect(isOutput({ ...(written(base) as JsonObject), later: 1 })).toBe("");
  });
});

describe("a gateway that writes JSON in another way is documented as it writes", () => {
  const ways: readonly JsonOutput[] = [
    { useProtoFieldName: true },
    { enumAsInteger: true },
    { alwaysEmitImplicit: false },
    { useProtoFieldName: true, enumAsInteger: true, alwaysEmitImplicit: false },
  ];

  test.each(ways)("%j", (json) => {
    const told = openApiDocument(services, { json });
    const ref = { $ref: "#/components/schemas/nasty.v1.Everything" };
    const message = fromJson(everything, { ...base, shortName: "", longName: "l", kind: "KIND_NOVEL" }, { registry });
    const written = toJson(everything, message, { alwaysEmitImplicit: true, ...json, registry });
    expect(schemaChecks(told)(ref)(written)).toBe("");
    const asProtojson = toJson(everything, message, { alwaysEmitImplicit: false, registry });
    expect(isOutput(asProtojson)).not.toBe("");
    if (json.enumAsInteger) expect(schemaChecks(told)(ref)(asProtojson)).toContain("kind");
  });
});
