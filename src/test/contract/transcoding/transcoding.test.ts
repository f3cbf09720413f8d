import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { transcoder } from "../../../rest/transcoder.ts";
import { scratchService } from "../../../testing/scratch-contract.ts";
import { answerRows } from "./answer-rows.ts";
import { bodyRows } from "./body-rows.ts";
import { encodingRows } from "./encoding-rows.ts";
import { deepMaskRows, maskRows } from "./mask-rows.ts";
import { pathRows } from "./path-rows.ts";
import { queryRows } from "./query-rows.ts";
import { refusedRows } from "./refused-rows.ts";
import { methodOf, play, type Row } from "./row.ts";

const rows: readonly Row[] = [
  ...pathRows,
  ...encodingRows,
  ...queryRows,
  ...bodyRows,
  ...maskRows,
  ...deepMaskRows,
  ...answerRows,
];

test.each(rows.map((row) => [row.says, row] as const))("%s", async (_, row) => {
  const { status, answer, reached, arrived } = await play(row);
  expect(status, answer?.text).toBe(row.status ?? 200);
  if (row.arrives !== undefined) expect(arrived).toEqual(row.arrives);
  if (row.reaches !== undefined) expect(reached).toBe(row.reaches);
  if (row.answers !== undefined) expect(answer?.json).toEqual(row.answers);
  if (row.message !== undefined) expect(answer?.json).toMatchObject({ message: expect.stringContaining(row.message) });
  if (status >= 400) expect(reached, "a request that is refused reaches nobody").toBeUndefined();
});

test.each(refusedRows.map((row) => [row.says, row] as const))("%s", (_, { rules, why }) => {
  const load = () =>
    transcoder({ services: [scratchService(...rules.map(methodOf))], transport: createRouterTransport(() => {}) });
  for (const part of why) expect(load).toThrow(part);
});

test("every row says something else", () => {
  const said = [...rows, ...refusedRows].map(({ says }) => says);
  expect(said.filter((says, i) => said.indexOf(says) !== i)).toEqual([]);
  expect(said.length).toBeGreaterThan(250);
});
