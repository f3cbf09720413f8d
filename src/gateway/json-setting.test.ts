import { expect, test } from "vitest";
import { EnvReader } from "../base/env.ts";
import { gatewayConfig } from "./config.ts";
import { jsonSetting } from "./json-setting.ts";

test("words between commas say how JSON is written, and none of them nothing", () => {
  expect(jsonSetting("proto-names, no-defaults")).toEqual({ useProtoFieldName: true, alwaysEmitImplicit: false });
  expect(jsonSetting("enum-numbers")).toEqual({ enumAsInteger: true });
  expect(jsonSetting("")).toEqual({});
});

test("a word that REST_JSON does not know stops the start, and the complaint says which there are", () => {
  const read = new EnvReader({ REST_JSON: "snake" });
  gatewayConfig(read);
  expect(read.complaints.join()).toMatch(/REST_JSON.*has to be some of enum-numbers, proto-names, no-defaults/);
});
