/**
 * `heddle/events`: services tell each other what happened, and each takes it in once, in the transaction of what it does
 * about it. A service that publishes, or subscribes, or leads a saga is written with this and `heddle` alone.
 */

/** MikroORM, by which rows are declared: entities have to be of the very one that the store is of. */
export { defineEntity, type InferEntity, p } from "@mikro-orm/core";
export type { EntitySchema, SqlEntityManager } from "@mikro-orm/sql";
export { EventService } from "../gen/heddle/event/v1/event_service_pb.ts";
export { SubscriptionService } from "../gen/heddle/event/v1/subscription_service_pb.ts";
export { SagaService } from "../gen/heddle/saga/v1/saga_pb.ts";
export { type EventsOptions, type OpenEvents, openEvents } from "./app/events.ts";
export type { EventFormat } from "./events/amqp/event-message.ts";
export type { QueueKind } from "./events/amqp/topology.ts";
export {
  type EventHandler,
  type HandlerOptions,
  type Handling,
  on,
  type Publish,
  type Subscription,
} from "./events/handler.ts";
export type { EventHooks, EventTransport } from "./events/hooks.ts";
export { createOutbox, type Outbox, type OutboxOptions } from "./events/outbox/outbox.ts";
export { type ServiceEventRows, serviceEventRows } from "./events/rows.ts";
export type { SagaMoment, SagaPlan, SagaStep } from "./events/saga/define-saga.ts";
export { Saga } from "./events/saga/saga.ts";
export { type SagaRow, type SagaRows, type SagaState, sagaRows } from "./events/saga/saga-entity.ts";
export { type SagaServiceOptions, sagaService } from "./events/saga/saga-service.ts";
export { type SagaTimersOptions, startSagaTimers } from "./events/saga/saga-timers.ts";
export { openStore, type Store, type StoreOptions } from "./store/orm.ts";
export type { SqliteSync } from "./store/sqlite-file.ts";
export type { Work } from "./store/unit.ts";
export { eventMetrics } from "./telemetry/event-metrics.ts";
