import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { SagaService, SagaState } from "../../../../gen/heddle/saga/v1/saga_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";
import { anOrder } from "./order-cases.ts";

const { listSagas, getSaga, retrySaga, cancelSaga } = SagaService.method;
const missing = { code: Code.NotFound, reason: "SAGA_NOT_FOUND" };
const ended = { code: Code.FailedPrecondition, reason: "SAGA_ENDED" };
const nobody = { as: "nobody", code: Code.Unauthenticated, reason: "CREDENTIALS_MISSING" } as const;
const reader = { as: "reader", code: Code.PermissionDenied, reason: "SCOPE_MISSING" } as const;

/** A saga on its way: that of an order that waits for its stock. */
async function aSaga(shop: Shop) {
  const { id } = await anOrder(shop);
  return { id };
}

/** One that has ended: the order's stock is reserved. */
async function anEndedSaga(shop: Shop) {
  const saga = await aSaga(shop);
  await shop.confirmed(saga.id);
  return saga;
}

/** heddle.saga.v1.SagaService, as the order service serves it. */
export const sagaCases: readonly Case[] = [
  answers(listSagas, "those that have not ended, a page of them", {
    given: async (shop) => {
      await aSaga(shop);
      await aSaga(shop);
      return { pageSize: 1 };
    },
    check: ([{ sagas, nextPageToken }]) => {
      expect(sagas).toMatchObject([{ name: "place-order", history: [] }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  answers(listSagas, "those in a state", {
    given: async (shop) => {
      await anEndedSaga(shop);
      return { state: SagaState.COMPLETED };
    },
    check: ([{ sagas }]) => {
      expect(sagas.length).toBeGreaterThan(0);
      expect(sagas.every(({ state }) => state === SagaState.COMPLETED)).toBe(true);
    },
  }),
  fails(listSagas, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getSaga, "a saga with what it has been through", {
    given: aSaga,
    check: ([{ saga }], [{ id }]) => {
      expect(saga).toMatchObject({ id, name: "place-order", state: SagaState.RUNNING, step: "reserve-stock" });
      expect(saga?.history).toMatchObject([{ step: "reserve-stock", state: SagaState.RUNNING }]);
      expect(saga?.wakeTime).toBeDefined();
    },
  }),
  fails(getSaga, "a saga that does not exist", { given: () => ({ id: "nope" }), ...missing }),

  answers(retrySaga, "a saga that takes its step again", {
    given: aSaga,
    check: ([{ saga }], [{ id }]) => expect(saga).toMatchObject({ id, state: SagaState.RUNNING }),
  }),
  fails(retrySaga, "a caller who shows nothing", { given: () => ({ id: "nope" }), ...nobody }),
  fails(retrySaga, "a caller without the scope", { given: () => ({ id: "nope" }), ...reader }),
  fails(retrySaga, "a saga that does not exist", { given: () => ({ id: "nope" }), ...missing }),
  fails(retrySaga, "a saga that has ended", { given: anEndedSaga, ...ended }),

  answers(cancelSaga, "a saga that takes back what was done", {
    given: async (shop) => ({ ...(await aSaga(shop)), reason: "fraud" }),
    check: ([{ saga }], [{ id }]) =>
      expect(saga).toMatchObject({ id, state: SagaState.COMPENSATING, step: "release-stock", reason: "fraud" }),
  }),
  fails(cancelSaga, "a caller who shows nothing", { given: () => ({ id: "nope" }), ...nobody }),
  fails(cancelSaga, "a caller without the scope", { given: () => ({ id: "nope" }), ...reader }),
  fails(cancelSaga, "a saga that does not exist", { given: () => ({ id: "nope" }), ...missing }),
  fails(cancelSaga, "a saga that has ended", { given: anEndedSaga, ...ended }),
];
