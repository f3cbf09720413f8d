import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { SagaService, SagaState } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { silentLogger } from "../../base/log.ts";
import type { SagaPlan } from "../../events/saga/define-saga.ts";
import { Saga } from "../../events/saga/saga.ts";
import { sagaService } from "../../events/saga/saga-service.ts";
import { fireDue, startSagaTimers } from "../../events/saga/saga-timers.ts";
import { orderRows, orderSagas } from "../../services/order/order-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { expectError } from "./errors.ts";
import { clientOf } from "./open-service.ts";

type Step = "knead" | "bake" | "throw-away";

/** A saga that is no shop's, on the rows of the order service, and what its steps have been asked for. */
function bakery() {
  const asked: string[] = [];
  const state = { broken: new Set<string>() };
  const plan: SagaPlan<Step> = {
    name: "bread",
    rows: orderSagas,
    steps: {
      knead: {
        timeoutMs: 1_000,
        attempts: 2,
        take: async ({ id }) => void asked.push(`knead ${id}`),
        async onTimeout(moment) {
          if (state.broken.has(moment.id)) throw new Error("the oven is broken");
          await bread.compensate(moment, { to: "throw-away", reason: "nobody kneaded" });
        },
      },
      bake: { timeoutMs: 2_000 },
      "throw-away": { takesBack: true, timeoutMs: 1_000, take: async ({ id }) => void asked.push(`throw ${id}`) },
    },
    async cancel(moment) {
      asked.push(`cancel ${moment.id}`);
      await bread.compensate(moment, { to: "throw-away", reason: moment.reason });
    },
  };
  const bread: Saga<Step> = new Saga(plan);
  return { bread, asked, state };
}

/** What sagas promise, whatever the database. */
export function sagaSuite(kind: DatabaseKind): void {
  const open = async (replicas = 1) => {
    const database = await openDatabase(kind);
    const clock = fakeClock();
    const stores = await Promise.all(Array.from({ length: replicas }, () => openStore({ ...orderRows, ...database })));
    const [store = expect.fail(), second = store] = stores;
    const { bread, asked, state } = bakery();
    const options = { store, rows: orderSagas, sagas: [bread], clock };
    const client = clientOf(SagaService, sagaService(options));
    const at = (id: string) => (em: Parameters<Parameters<Store["unit"]>[0]>[0]) => ({ em, id, now: clock.wall() });
    const begin = (id = "b-1") => store.unit((em) => bread.begin(at(id)(em)));
    const row = async (id = "b-1") => store.read((em) => em.findOneOrFail(orderSagas, { id }));
    const close = async () => {
      for (const each of stores) await each[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    };
    const reopen = () => openStore({ ...orderRows, ...database });
    const more = { reopen, [Symbol.asyncDispose]: close };
    return { clock, store, second, bread, asked, state, options, client, at, begin, row, ...more };
  };

  test("a saga begins once, at its first step, with its timer set", async () => {
    await using it = await open();
    await it.begin();
    await it.begin();
    const wakeAt = new Date(it.clock.wall() + 1_000);
    expect(await it.row()).toMatchObject({ name: "bread", state: "running", step: "knead", attempts: 1, wakeAt });
    expect((await it.row()).history).toHaveLength(1);
  });

  test("a move is made once, is remembered, and sets the timer of its step", async () => {
    await using it = await open();
    await it.begin();
    const move = () =>
      it.store.unit((em) => it.bread.move(it.at("b-1")(em), { from: "knead", to: "bake", reason: "soft" }));
    expect(await move()).toBe(true);
    expect(await move()).toBe(false);
    const { history, ...row } = await it.row();
    expect(row).toMatchObject({ step: "bake", state: "running", wakeAt: new Date(it.clock.wall() + 2_000) });
    expect(history.map(({ step, reason }) => [step, reason])).toEqual([
      ["knead", ""],
      ["bake", "soft"],
    ]);
  });

  test("a move of a saga that there is not changes nothing", async () => {
    await using it = await open();
    expect(await it.store.unit((em) => it.bread.complete(it.at("nope")(em)))).toBe(false);
  });

  test("the same move by two replicas at once is made once", async () => {
    await using it = await open(2);
    await it.begin();
    const complete = (store: Store) => store.unit((em) => it.bread.complete(it.at("b-1")(em)));
    const made = await Promise.all([it.store, it.second, it.store, it.second].map(complete));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await it.row()).toMatchObject({ state: "completed", wakeAt: null });
  });

  test("a step without an answer is taken again as often as it says, then its timeout decides", async () => {
    await using it = await open();
    await it.begin();
    await fireDue(it.options);
    expect(it.asked).toEqual([]);
    await it.clock.advance(1_000);
    await fireDue(it.options);
    expect(it.asked).toEqual(["knead b-1"]);
    expect(await it.row()).toMatchObject({ state: "running", attempts: 2 });
    await it.clock.advance(1_000);
    await fireDue(it.options);
    expect(await it.row()).toMatchObject({ state: "compensating", step: "throw-away", reason: "nobody kneaded" });
  });

  test("a step whose timeout decides nothing is stuck, with the reason, until the answer comes", async () => {
    await using it = await open();
    await it.begin();
    await it.store.unit((em) => it.bread.compensate(it.at("b-1")(em), { to: "throw-away", reason: "mouldy" }));
    await it.clock.advance(1_000);
    await fireDue(it.options);
    const reason = "throw-away had no answer within 1 s";
    expect(await it.row()).toMatchObject({ state: "stuck", step: "throw-away", reason, wakeAt: null });
    await it.store.unit((em) => it.bread.compensated(it.at("b-1")(em)));
    expect(await it.row()).toMatchObject({ state: "compensated" });
  });

  test("timers that two replicas look at go off once", async () => {
    await using it = await open(2);
    const ids = Array.from({ length: 20 }, (_, at) => `b-${at}`);
    for (const id of ids) await it.begin(id);
    await it.clock.advance(1_000);
    await Promise.all([it.store, it.second].map((store) => fireDue({ ...it.options, store })));
    expect(it.asked.toSorted()).toEqual(ids.map((id) => `knead ${id}`).toSorted());
    for (const id of ids) expect(await it.row(id)).toMatchObject({ state: "running", attempts: 2 });
  });

  test("a timer goes off in a replica that was started after it was set", async () => {
    await using it = await open();
    await it.begin();
    await it.store[Symbol.asyncDispose]();
    await using store = await it.reopen();
    await it.clock.advance(5_000);
    await using _ = startSagaTimers({ ...it.options, store });
    await expect.poll(() => it.asked, { interval: 5 }).toEqual(["knead b-1"]);
  });

  test("timers go off a batch at a time, all of them without waiting for the next look", async () => {
    await using it = await open();
    const ids = Array.from({ length: 7 }, (_, at) => `b-${at}`);
    for (const id of ids) await it.begin(id);
    await it.clock.advance(1_000);
    expect(await fireDue({ ...it.options, batch: 3 })).toBe(true);
    expect(it.asked).toHaveLength(3);
    await using _ = startSagaTimers({ ...it.options, batch: 3 });
    await expect.poll(() => it.asked.length, { interval: 5 }).toBe(7);
  });

  test("a timer whose work fails is tried again later, and those behind it go off", async () => {
    await using it = await open();
    it.state.broken.add("b-1");
    await it.begin("b-1");
    await it.begin("b-2");
    for (let turn = 0; turn < 2; turn++) {
      await it.clock.advance(1_000);
      await fireDue({ ...it.options, batch: 1 });
      await fireDue({ ...it.options, batch: 1 });
    }
    expect((await it.row("b-1")).state).toBe("running");
    expect((await it.row("b-2")).state).toBe("compensating");
    it.state.broken.clear();
    await it.clock.advance(5_000);
    await fireDue(it.options);
    expect((await it.row("b-1")).state).toBe("compensating");
  });

  test("a calendar set back delays a timer by no more than its own span", async () => {
    await using it = await open();
    await it.begin();
    it.clock.jump(-3_600_000);
    await fireDue(it.options);
    expect((await it.row()).wakeAt).toEqual(new Date(it.clock.wall() + 1_000));
    await it.clock.advance(1_000);
    await fireDue(it.options);
    expect(it.asked).toEqual(["knead b-1"]);
  });

  test("timers wait while the database is away, and are stopped all the same", async () => {
    await using it = await open();
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    await it.store[Symbol.asyncDispose]();
    const timers = startSagaTimers({ ...it.options, log });
    for (let turn = 0; turn < 3; turn++) await it.clock.advance(1_000);
    expect(warnings.length).toBeGreaterThan(2);
    await timers[Symbol.asyncDispose]();
    expect(it.clock.pending).toBe(0);
  });

  test("sagas that have not ended are listed oldest first, page by page; others by their state", async () => {
    await using it = await open();
    for (const id of ["c", "b", "a"]) {
      await it.begin(id);
      await it.clock.advance(10);
    }
    await it.store.unit((em) => it.bread.complete(it.at("b")(em)));
    const first = await it.client.listSagas({ pageSize: 1 });
    const rest = await it.client.listSagas({ pageSize: 1, pageToken: first.nextPageToken });
    expect([...first.sagas, ...rest.sagas].map(({ id }) => id)).toEqual(["c", "a"]);
    expect(rest.nextPageToken).toBe("");
    const { sagas } = await it.client.listSagas({ state: SagaState.COMPLETED });
    expect(sagas).toMatchObject([{ id: "b", name: "bread", state: SagaState.COMPLETED, history: [] }]);
    const other = it.client.listSagas({ state: SagaState.STUCK, pageToken: first.nextPageToken });
    await expectError(other, { code: Code.InvalidArgument, fields: ["page_token"] });
  });

  test("a saga is shown with what it has been through", async () => {
    await using it = await open();
    await it.begin();
    await it.store.unit((em) => it.bread.compensate(it.at("b-1")(em), { to: "throw-away", reason: "mouldy" }));
    const { saga } = await it.client.getSaga({ id: "b-1" });
    expect(saga?.history).toMatchObject([
      { step: "knead", state: SagaState.RUNNING },
      { step: "throw-away", state: SagaState.COMPENSATING, reason: "mouldy" },
    ]);
    await expectError(it.client.getSaga({ id: "nope" }), { code: Code.NotFound, reason: "SAGA_NOT_FOUND" });
  });

  test("a stuck saga that is tried again takes its step again, with its reason and a new timer", async () => {
    await using it = await open();
    await it.begin();
    await it.store.unit((em) => it.bread.compensate(it.at("b-1")(em), { to: "throw-away", reason: "mouldy" }));
    await it.clock.advance(1_000);
    await fireDue(it.options);
    const { saga } = await it.client.retrySaga({ id: "b-1" });
    expect(saga).toMatchObject({ state: SagaState.COMPENSATING, step: "throw-away", reason: "mouldy" });
    expect(it.asked).toEqual(["throw b-1"]);
    expect((await it.row()).wakeAt).toEqual(new Date(it.clock.wall() + 1_000));
  });

  test("a saga is taken back by hand, and ended as it is where that is stuck", async () => {
    await using it = await open();
    await it.begin();
    const first = await it.client.cancelSaga({ id: "b-1" });
    expect(first.saga).toMatchObject({ state: SagaState.COMPENSATING, reason: "cancelled by hand" });
    const again = await it.client.cancelSaga({ id: "b-1", reason: "other" });
    expect(again.saga).toEqual(first.saga);
    expect(it.asked).toEqual(["cancel b-1"]);
    await it.clock.advance(1_000);
    await fireDue(it.options);
    const { saga } = await it.client.cancelSaga({ id: "b-1", reason: "it was eaten" });
    const reason = "throw-away had no answer within 1 s; it was eaten";
    expect(saga).toMatchObject({ state: SagaState.COMPENSATED, reason });
  });

  test("a saga that has ended is neither tried again nor taken back, and one that there is not is NOT_FOUND", async () => {
    await using it = await open();
    await it.begin();
    await it.store.unit((em) => it.bread.complete(it.at("b-1")(em)));
    const ended = { code: Code.FailedPrecondition, reason: "SAGA_ENDED", message: /bread of b-1 has ended, completed/ };
    await expectError(it.client.retrySaga({ id: "b-1" }), ended);
    await expectError(it.client.cancelSaga({ id: "b-1" }), ended);
    await expectError(it.client.retrySaga({ id: "nope" }), { code: Code.NotFound });
    await expectError(it.client.cancelSaga({ id: "nope" }), { code: Code.NotFound });
  });
}
