import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import type { Store } from "../../store/orm.ts";
import type { EventSink } from "../delivery.ts";
import type { EventHooks } from "../hooks.ts";
import { EventLog } from "../log/event-log.ts";
import { eventService } from "../log/event-service.ts";
import { LogHead } from "../log/log-head.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { ServiceEventRows } from "../rows.ts";
import { openWorkShares } from "../shares/work-shares.ts";
import { publishToLog } from "./publish-to-log.ts";
import { publishToSink } from "./publish-to-sink.ts";
import { type PublishSome, type Relay, startRelay } from "./relay.ts";

/** A pass costs the database, the broker and those it delivers to more than the events of it do: waiting for some more is worth it. */
const gapToBrokerMs = 15;

/** What publishing is made of. */
export interface PublisherOptions {
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "events" | "resends" | "leases">;
  readonly outbox: Outbox;
  /** The broker; without one, events are published by being in the log. It stays its owner's to close, afterwards. */
  readonly sink?: EventSink | undefined;
  /** Who this replica is: new for each process, up to 36 characters. */
  readonly holder: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly hooks?: EventHooks;
}

/** What publishes a service's events, and tells of them. */
export interface Publisher extends AsyncDisposable {
  /** The implementation of heddle.event.v1.EventService. */
  readonly service: ReturnType<typeof eventService>;
  readonly log: EventLog;
}

/** Publishes what the outbox takes in, here and in other replicas, and what they left behind; until it is closed. */
export function openPublisher(options: PublisherOptions): Publisher {
  const { store, rows, outbox, sink, clock = systemClock, random = systemRandom, log: lines = silentLogger } = options;
  const head = new LogHead({ store, rows: rows.events, outbox, clock, log: lines });
  const log = new EventLog({ source: outbox.source, store, rows: rows.events, head });
  const gap = sink === undefined ? {} : { gapMs: gapToBrokerMs };
  const start = (publish: PublishSome) => startRelay({ outbox, head, publish, ...gap, clock, random, log: lines });
  const toLog = { store, rows: rows.events, outbox, head, clock, hooks: options.hooks ?? {} };
  const parts = sink === undefined ? withoutSharing(start(publishToLog(toLog))) : sharing(sink);
  const wake = () => parts.relay.wake();
  const transport = sink === undefined ? "stream" : "amqp";

  /** With a broker, a slot's events are sent by one replica at a time. */
  function sharing(to: EventSink) {
    const relayOf: { relay?: Relay } = {};
    const shares = openWorkShares({
      ...{ store, rows: rows.leases, work: "relay", holder: options.holder, clock, random, log: lines },
      letGo: async () => relayOf.relay?.idle(),
    });
    const publish = publishToSink({ ...toLog, sink: to, resends: rows.resends, held: shares.held });
    const relay = start(publish);
    relayOf.relay = relay;
    head.onLook = () => relay.wake(); // other replicas may have been asked to send again, too
    const leave = shares.held.subscribe(() => relay.wake());
    const close = async () => {
      leave();
      await relay[Symbol.asyncDispose]();
      await shares[Symbol.asyncDispose]();
    };
    return { relay, close };
  }

  return {
    log,
    service: eventService({ store, rows, outbox, log, transport, wake, clock }),
    async [Symbol.asyncDispose]() {
      await head[Symbol.asyncDispose]();
      await parts.close();
    },
  };
}

function withoutSharing(relay: Relay) {
  return { relay, close: async () => relay[Symbol.asyncDispose]() };
}
