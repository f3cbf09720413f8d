/** `heddle/events`: services tell each other what happened, and each takes it in once. */
export { type AmqpSinkOptions, openAmqpSink } from "./amqp/amqp-sink.ts";
export { type AmqpSourceOptions, openAmqpSource } from "./amqp/amqp-source.ts";
export type { Batch, EventSink, TakeIn } from "./delivery.ts";
export { type EventPolicy, eventPolicy } from "./event-policy.ts";
export { type OpenSubscriber, openSubscriber, type SharedSubscriberOptions } from "./follow/open-subscriber.ts";
export {
  type FollowedSource,
  type SubscriptionServiceOptions,
  subscriptionService,
} from "./follow/subscription-service.ts";
export { type EventHandler, type Handling, on, type Publish, type Subscription } from "./handler.ts";
export type { EventHooks, EventTransport } from "./hooks.ts";
export { type InboxOptions, type OpenInbox, openInbox } from "./inbox/open-inbox.ts";
export type { RetryLimits } from "./inbox/retry-limits.ts";
export { createOutbox, type Outbox, type OutboxOptions } from "./outbox/outbox.ts";
export { openPublisher, type Publisher, type PublisherOptions } from "./relay/publisher.ts";
export { type ServiceEventRows, serviceEventRows } from "./rows.ts";
