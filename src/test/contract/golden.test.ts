import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { WatchResponseSchema } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { UserSchema } from "../../../gen/shop/user/v1/user_pb.ts";
import { missingSamples, ourMessages, readSamples, unsampled, writeCommand } from "./golden.ts";

const messages = await ourMessages();
const samples = readSamples();

describe.each(messages.map((desc) => [desc.typeName, desc] as const))("%s", (name, desc) => {
  const known = samples[name] ?? [];

  test("has a sample, and every field is in one", () => {
    expect(known.length, `no sample: run \`${writeCommand}\` and check in what it adds`).toBeGreaterThan(0);
    const missing = unsampled(desc, known).map((field) => field.name);
    expect(missing, `fields in no sample: run \`${writeCommand}\` and check in what it adds`).toEqual([]);
  });

  test("yesterday's bytes say today what they said", () => {
    for (const { base64, json } of known) {
      const message = fromBinary(desc, base64Decode(base64));
      expect(message.$unknown).toBeUndefined();
      expect(toJson(desc, message)).toEqual(json);
    }
  });

  test("today's bytes are yesterday's, so that a reader of then can read them", () => {
    for (const { base64, json } of known) {
      expect(base64Encode(toBinary(desc, fromJson(desc, json)))).toBe(base64);
    }
  });
});

test("no message that was ever sent has gone", () => {
  const today = new Set(messages.map(({ typeName }) => typeName));
  expect(Object.keys(samples).filter((name) => !today.has(name))).toEqual([]);
});

test("a field that is new gets a sample of its own, beside what is there", () => {
  const known = [{ base64: "CAE=", json: { id: "1" } }];
  const [more = expect.fail(), ...others] = missingSamples(UserSchema, known);
  expect(Object.keys(more.json as object)).toEqual(UserSchema.fields.map(({ jsonName }) => jsonName));
  expect(others).toEqual([]);
  expect(missingSamples(UserSchema, [...known, more])).toEqual([]);
});

test("a sample is made the same each time, of a oneof one for each member", () => {
  const made = missingSamples(WatchResponseSchema);
  expect(made).toEqual(missingSamples(WatchResponseSchema));
  const events = made.map(({ json }) => Object.keys(json as object).filter((key) => key !== "version"));
  expect(events).toEqual([["snapshot"], ["delta"], ["heartbeat"]]);
});
