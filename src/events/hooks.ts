/** How events leave a service, or come to it. */
export type EventTransport = "stream" | "amqp";

/** What watches events come and go: for metrics. Each is called in the middle of the work, so it is quick and never throws. */
export interface EventHooks {
  /** How many events are committed and not yet published, as far as this replica knows. */
  backlog?(count: number): void;
  /** An event was published, so long after its commit. */
  published?(event: { readonly type: string; readonly transport: EventTransport; readonly delayMs: number }): void;
  /** An event of another service took effect here, so long after its commit there. */
  takenIn?(event: { readonly source: string; readonly type: string; readonly delayMs: number }): void;
  /** How many events of a source could not be handled: they wait for another try, or were given up. */
  parked?(counts: { readonly source: string; readonly waiting: number; readonly dead: number }): void;
  /** An event was given up after its last try: a dead letter. */
  dead?(event: { readonly source: string; readonly type: string }): void;
}
