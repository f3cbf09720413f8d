import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import type { Publish } from "../../events/handler.ts";
import type { SagaMoment } from "../../events/saga/define-saga.ts";
import { Saga } from "../../events/saga/saga.ts";
import { afterCommit } from "../../store/after-commit.ts";
import type { OrderChanges } from "./order-changes.ts";
import { type Order, orderSagas } from "./order-entity.ts";
import { toProto } from "./order-mapping.ts";
import { type NewOrder, orderRepository } from "./order-repository.ts";
import type { OrderRow } from "./order-rows.ts";

/** What moves orders. */
export interface PlaceOrderOptions {
  /** Tells others of it, when it is written. */
  readonly publish: Publish;
  /** Tells those who follow the order, when it is written. */
  readonly changes: OrderChanges;
  /** How long the catalog may take to keep stock, or to give it back. Default 60 s. */
  readonly sagaTimeoutMs?: number;
}

/** The steps of placing an order; each waits for an event of the catalog. */
export type PlaceOrderStep = "reserve-stock" | "release-stock";

const reasons = { late: "the stock was not reserved in time" };
/** What the column holds. */
const maxReasonLength = 200;

/**
 * Placing an order, from the order's side: every change of an order is one function here, which writes the order, moves its
 * saga and publishes what has happened, all in the caller's transaction. Each does nothing where the order is past it, so
 * events may come twice and in any order.
 *
 * The saga: an order is created and waits for its stock. When that is reserved, it is confirmed, and the saga has ended.
 * When it is not, or not in time, or somebody cancels, the order is cancelled at once and the saga ends when the catalog
 * has given back what it kept.
 */
export class PlaceOrder {
  readonly saga: Saga<PlaceOrderStep>;
  /** Those who follow orders in this process. */
  readonly changes: OrderChanges;
  readonly #publish: Publish;

  constructor({ publish, changes, sagaTimeoutMs: timeoutMs = 60_000 }: PlaceOrderOptions) {
    this.#publish = publish;
    this.changes = changes;
    this.saga = new Saga<PlaceOrderStep>({
      name: "place-order",
      rows: orderSagas,
      steps: {
        "reserve-stock": {
          timeoutMs,
          take: (moment) => this.#askAgain(moment, OrderCreatedSchema),
          onTimeout: (moment) => this.cancelById({ ...moment, reason: reasons.late }),
        },
        "release-stock": {
          takesBack: true,
          timeoutMs,
          take: (moment) => this.#askAgain(moment, OrderCancelledSchema),
        },
      },
      cancel: (moment) => this.cancelById(moment),
      lock: (em, id) => orderRepository(em).lock(id),
    });
  }

  /** A new order, pending: the catalog hears of it and reserves. */
  async create({ em, now }: Omit<SagaMoment, "id">, order: NewOrder): Promise<OrderRow> {
    const created = await orderRepository(em).add(order, now);
    await this.saga.begin({ em, id: order.id, now });
    await this.#publish(em, OrderCreatedSchema, { order: toProto(created) });
    return created;
  }

  /** Its stock is reserved. One that is cancelled stays so: the catalog hears of that, and gives the stock back. */
  async confirm(moment: SagaMoment): Promise<void> {
    const { em, id, now } = moment;
    const order = await orderRepository(em).confirm(id, now);
    if (order === undefined) return;
    await this.saga.complete(moment);
    await this.#publish(em, OrderConfirmedSchema, { order: toProto(order) });
    this.#tell(moment);
  }

  /** Cancels a pending or confirmed order; what was kept for it is to be given back. One that is cancelled keeps its reason. */
  async cancel(moment: SagaMoment & { readonly reason: string }, order: Order): Promise<void> {
    if (!(await this.#writeCancelled(moment, order))) return;
    await this.saga.compensate(moment, { to: "release-stock", reason: moment.reason, evenCompleted: true });
  }

  /** The same by the order's id; NOT_FOUND when there is none. */
  async cancelById(moment: SagaMoment & { readonly reason: string }): Promise<void> {
    await this.cancel(moment, await orderRepository(moment.em).getForChange(moment.id));
  }

  /** There is no stock for it: nothing is kept, so that cancelling it is the end. */
  async reject(moment: SagaMoment & { readonly reason: string }): Promise<void> {
    const order = await orderRepository(moment.em).getForChange(moment.id);
    if (await this.#writeCancelled(moment, order)) await this.saga.compensated(moment, moment);
  }

  async #writeCancelled(moment: SagaMoment & { readonly reason: string }, order: Order): Promise<boolean> {
    const { em, now, reason } = moment;
    if (order.status === "cancelled") return false;
    const cancelReason = reason.slice(0, maxReasonLength);
    await orderRepository(em).change(order, { status: "cancelled", cancelReason }, now);
    await this.#publish(em, OrderCancelledSchema, { order: toProto(order) });
    this.#tell(moment);
    return true;
  }

  /** Publishes once more what the catalog answers to; it answers the same again. */
  async #askAgain({ em, id }: SagaMoment, schema: typeof OrderCreatedSchema | typeof OrderCancelledSchema) {
    const order = await orderRepository(em).get(id);
    await this.#publish(em, schema, { order: toProto(order) });
  }

  #tell({ em, id }: SagaMoment): void {
    afterCommit(em, () => this.changes.publish(id));
  }
}
