import type { DescService } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import type { JsonOutput } from "../response/response.ts";
import { transcoder } from "../transcoder.ts";

const service: DescService = scratchService(
  { name: "Get", rule: { pattern: { case: "get", value: "/v1/x" } } },
  { name: "Kind", rule: { pattern: { case: "get", value: "/v1/kind" }, responseBody: "kind" } },
  { name: "Long", rule: { pattern: { case: "get", value: "/v1/long" }, responseBody: "long_int" } },
  { name: "Bare" },
);

const full = { nickName: "n", kind: 2, longInt: 7n, inner: { label: "l" } };
const transport = createRouterTransport((router) => {
  const empty = () => ({});
  router.service(service, { get: () => full, kind: empty, long: empty, bare: () => full } as never);
});

async function answer(json: JsonOutput | undefined, path = "/v1/x", method = "GET"): Promise<unknown> {
  const rest = transcoder({ services: [service], transport, ...(json && { json }) });
  const answered = await rest(restRequest(method, path));
  if (answered === undefined) throw new Error("no answer");
  return (await readAnswer(answered)).json;
}

test("without options answers are protojson, with every field", async () => {
  expect(await answer(undefined)).toMatchObject({
    nickName: "n",
    kind: "KIND_VERY_BIG",
    longInt: "7",
    name: "",
    tags: [],
  });
});

test("fields with defaults are left out where the options say so, everywhere but alone", async () => {
  const json = { alwaysEmitImplicit: false };
  const expected = { nickName: "n", kind: "KIND_VERY_BIG", longInt: "7", inner: { label: "l" } };
  expect(await answer(json)).toEqual(expected);
  expect(await answer(json, "/scratch.v1.ScratchService/Bare", "POST")).toEqual(expected);
  expect(await answer(json, "/v1/kind")).toBe("KIND_UNSPECIFIED");
  expect(await answer(json, "/v1/long")).toBe("0");
});

test("enums are numbers and names are the contract's where the options say so", async () => {
  const json = { enumAsInteger: true, useProtoFieldName: true, alwaysEmitImplicit: false };
  expect(await answer(json)).toEqual({ nick_name: "n", kind: 2, long_int: "7", inner: { label: "l" } });
  expect(await answer(json, "/v1/kind")).toBe(0);
  expect(await answer(json, "/v1/long")).toBe("0");
});

test("the plain JSON under /api keeps its names, whatever protojson is told to do", async () => {
  const json = { enumAsInteger: true, alwaysEmitImplicit: false };
  expect(await answer(json, "/api/x")).toEqual({
    nick_name: "n",
    kind: "very_big",
    long_int: 7,
    inner: { label: "l" },
  });
  expect(await answer(json, "/api/kind")).toBe("unspecified");
  expect(await answer(json, "/api/long")).toBe(0);
});
