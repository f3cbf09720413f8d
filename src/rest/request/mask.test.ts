import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import { transcoder } from "../transcoder.ts";

const service = scratchService({
  name: "Patch",
  rule: { pattern: { case: "patch", value: "/v1/address" }, body: "address" },
});

/** The mask that arrives, read from the message: JSON has no way to write these names. */
async function maskOf(query: string, body: object): Promise<readonly string[] | undefined> {
  let paths: readonly string[] | undefined;
  const transport = {
    unary: (_method: DescMethod, _signal: unknown, _timeoutMs: unknown, _header: unknown, message: Message) => {
      paths = (message as Message & { updateMask?: { paths: string[] } }).updateMask?.paths;
      return Promise.reject(new Error("seen enough"));
    },
  } as unknown as Transport;
  await transcoder({ services: [service], transport })(restRequest("PATCH", `/v1/address${query}`, { body }));
  return paths;
}

const masks: readonly (readonly [query: string, body: object, mask: readonly string[]])[] = [
  ["?update_mask=line_1", {}, ["line_1"]],
  ["?updateMask=line1", {}, ["line_1"]],
  ["?update_mask=line_1,at.label", {}, ["line_1", "at.label"]],
  ["?update_mask.paths=line_1&update_mask.paths=city", {}, ["line_1", "city"]],
  ["?update_mask=no_such.thing", {}, ["no_such.thing"]],
  ["", { line_1: "x", at: { count: 1 } }, ["line_1", "at.count"]],
  ["", { line1: "x" }, ["line_1"]],
];

test.each(masks)("the mask of %s %j is %j, in the contract's spelling", async (query, body, mask) => {
  expect(await maskOf(query, body)).toEqual(mask);
});
