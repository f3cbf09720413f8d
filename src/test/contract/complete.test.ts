import { getOption } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import { methodName } from "../../call/method.ts";
import { generatedFiles, isOurs } from "./contracts.ts";
import { codeName, documentedCodes } from "./documented.ts";
import { spellingsOf } from "./rest-ways.ts";
import { table, waysOf } from "./table.ts";

const methods = (await generatedFiles()).flatMap((file) => file.services).flatMap((service) => service.methods);

describe.each(methods.map((method) => [methodName(method), method] as const))("%s", (_, method) => {
  const rows = table.filter((row) => methodName(row.method) === methodName(method));
  const failures = rows.flatMap(({ expected }) => (expected.kind === "failure" ? [expected.failure.code] : []));

  test("has a row that succeeds", () => {
    const hint = `write a row for ${methodName(method)} in src/test/contract/cases`;
    expect(rows.filter(({ expected }) => expected.kind === "answer").length, hint).toBeGreaterThan(0);
  });

  test("is tried by every path its contract gives it, those of v1 in both spellings", () => {
    const rule = getOption(method, http);
    const rules = rule.pattern.case === undefined ? [] : [rule, ...rule.additionalBindings];
    const paths = rules.reduce((sum, { pattern }) => sum + spellingsOf(String(pattern.value)), 0);
    const names = rows.flatMap((row) => waysOf(row).map(({ name }) => name));
    expect(new Set(names.filter((name) => name.includes(" /"))).size).toBe(paths);
    expect(names).toContain("gRPC");
  });

  if (!isOurs(method.parent.file)) return;

  test("has a row for each error that its contract tells of", () => {
    const untried = documentedCodes(method).filter((code) => !failures.includes(code));
    expect(untried.map(codeName), "rows missing in src/test/contract/cases").toEqual([]);
  });

  test("has no row for an error that its contract keeps to itself", () => {
    const told = [Code.InvalidArgument, ...documentedCodes(method)]; // every rule of a field tells of the former
    expect(failures.filter((code) => !told.includes(code)).map(codeName), 'missing after "Errors:"').toEqual([]);
  });
});

test("no row is about a method that is gone", () => {
  const known = new Set(methods.map(methodName));
  expect(table.map(({ method }) => methodName(method)).filter((name) => !known.has(name))).toEqual([]);
});

test("the errors of a contract are read as they are written", () => {
  const read = (name: string) => {
    const method = methods.find((each) => methodName(each) === name) ?? expect.fail(name);
    return documentedCodes(method).map(codeName);
  };
  expect(read("shop.user.v1.UserService/ListUsers")).toEqual([]);
  expect(read("shop.user.v1.UserService/UpdateUser")).toEqual([
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "ABORTED",
    "INVALID_ARGUMENT",
  ]);
});
