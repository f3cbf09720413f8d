import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Code } from "../../../gen/google/rpc/code_pb.ts";
import { FaultPlanSchema } from "../../../gen/heddle/fault/v1/fault_pb.ts";
import { FaultPlanError, faultPlanOf } from "./plan.ts";

const json = { faults: [{ service: "shop.user.v1.UserService", sharePercent: 50, error: { code: "NOT_FOUND" } }] };
const message = create(FaultPlanSchema, {
  faults: [
    {
      service: "shop.user.v1.UserService",
      sharePercent: 50,
      what: { case: "error", value: { code: Code.NOT_FOUND } },
    },
  ],
});

/** What is wrong with the plan. */
function complaints(source: JsonValue): readonly string[] {
  try {
    faultPlanOf(source);
  } catch (reason) {
    if (reason instanceof FaultPlanError) return reason.complaints;
    throw reason;
  }
  return [];
}

test("a plan is a message, protojson, the text of that, or a file that holds the text", () => {
  const dir = mkdtempSync(join(tmpdir(), "heddle-faults-"));
  try {
    const path = join(dir, "faults.json");
    writeFileSync(path, `${JSON.stringify(json)}\n`);
    for (const source of [message, json, JSON.stringify(json), `@${path}`])
      expect(faultPlanOf(source)).toEqual(message);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each(["", " ", "{}", '{"faults":[]}'])("in the plan %j nothing goes wrong", (text) => {
  expect(faultPlanOf(text).faults).toEqual([]);
});

test.each<[string, JsonValue, string]>([
  ["a fault that does nothing", {}, "faults[0] says none of delay, error, reset, black_hole and lost_answer"],
  ["a share above 100", { reset: {}, sharePercent: 101 }, "faults[0].share_percent is 101; "],
  ["a share that is no number", { reset: {}, sharePercent: "NaN" }, "faults[0].share_percent is NaN; "],
  ["a negative share", { reset: {}, sharePercent: -1 }, "faults[0].share_percent is -1; "],
  ["a method with its service", { reset: {}, method: "a.B/C" }, 'faults[0].method is "a.B/C"; '],
  ["a service with a slash", { reset: {}, service: "/a.B" }, 'faults[0].service is "/a.B"; '],
  ["a header without a name", { reset: {}, header: {} }, 'faults[0].header.name is ""; '],
  ["a pseudo header", { reset: {}, header: { name: ":path" } }, 'faults[0].header.name is ":path"; '],
  ["a delay of nothing", { delay: "0s" }, "faults[0].delay is not positive"],
  ["a negative retry delay", { error: { retryDelay: "-1s" } }, "faults[0].error.retry_delay is not positive"],
  ["a code that gRPC has not", { error: { code: 17 } }, "faults[0].error.code is 17; "],
  ["a code that nobody has", { error: { code: "NOPE" } }, "faults[0].error: cannot decode "],
  ["a span that is none", { delay: "soon" }, "faults[0].delay: cannot decode "],
  [
    "a field that is not there",
    { reset: {}, share: 5 },
    "faults[0].share: cannot decode message heddle.fault.v1.Fault ",
  ],
  ["two things at once", { reset: {}, blackHole: {} }, "faults[0]: cannot decode oneof heddle.fault.v1.Fault.what "],
  ["a fault that is no object", "reset", "faults[0]: cannot decode "],
])("%s is refused by its field", (_, fault, complaint) => {
  expect(complaints({ faults: [fault] })).toEqual([expect.stringMatching(startingWith(complaint))]);
});

test("everything wrong is said at once, each with the fault that it is in", () => {
  const wrong = complaints({
    faults: [{ reset: {}, method: "a b" }, { reset: {} }, { delay: "0s", sharePercent: 300 }],
  });
  expect(wrong.map((complaint) => complaint.split(" ")[0])).toEqual([
    "faults[0].method",
    "faults[2].share_percent",
    "faults[2].delay",
  ]);
  expect(() => faultPlanOf({ faults: [{}, {}] })).toThrow(/faults\[0\] says .*; faults\[1\] says /);
});

test.each<[string, JsonValue]>([
  ["text that is not JSON", "{faults: []}"],
  ["a file that is not there", "@/nowhere/faults.json"],
  ["a list", []],
  ["nothing", null],
  ["a field that a plan has not", { fault: [] }],
])("%s is no plan", (_, source) => {
  expect(() => faultPlanOf(source)).toThrow(FaultPlanError);
});

test("a plan that is a message is checked, too", () => {
  expect(() => faultPlanOf(create(FaultPlanSchema, { faults: [{}] }))).toThrow("faults[0] says none of ");
});

function startingWith(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);
}
