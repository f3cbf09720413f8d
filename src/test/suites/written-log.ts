import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { EventService, type SubscribeResponseSchema } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { Watchable } from "../../base/watch.ts";
import { errorWithInfo } from "../../call/errors.ts";
import { clientOf } from "./open-service.ts";

/** A log that a test writes by hand, served like a publisher's, so that it can also be cut off, silent, or older than it was. */
export class WrittenLog {
  readonly events: Event[] = [];
  readonly client: Client<typeof EventService>;
  /** Whether nobody answers. */
  away = false;
  /** The first position that it still has. */
  first = 1n;
  /** How many events wait for their positions. */
  backlog = 0n;
  /** How often it was asked to be followed. */
  asked = 0;
  readonly #turn = new Watchable(0);
  #cuts = 0;

  constructor() {
    this.client = clientOf(EventService, {
      subscribe: (request, { signal }) => this.#subscribe(request, signal),
      getEventLog: () => {
        if (this.away) throw away();
        return { source: "order", endPosition: this.end, backlog: this.backlog, transport: "stream" };
      },
    });
  }

  get end(): bigint {
    return BigInt(this.events.length);
  }

  /** Writes events down, and tells those who follow. */
  append(...events: readonly Event[]): void {
    for (const event of events) this.events.push(create(EventSchema, { ...event, position: this.end + 1n }));
    this.#next();
  }

  /** Cuts off all who follow. */
  cut(): void {
    this.#cuts++;
    this.#next();
  }

  /** Sends an empty message to all who follow. */
  beat(): void {
    this.#next();
  }

  #next(): void {
    this.#turn.set(this.#turn.value + 1);
  }

  async *#subscribe(
    { cursors, types }: Parameters<Client<typeof EventService>["subscribe"]>[0] & object,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof SubscribeResponseSchema>> {
    this.asked++;
    const cuts = this.#cuts;
    const after = new Map((cursors ?? []).map(({ slot = 0, after = 0n }) => [slot, after]));
    if ([...after.values()].some((position) => position > this.end)) {
      throw new ConnectError("beyond the end", Code.OutOfRange);
    }
    if ([...after.values()].some((position) => position < this.first - 1n)) throw beforeBeginning(this.first);
    const wanted = ({ slot, type, position }: Event) =>
      position > (after.get(slot) ?? this.end) && (types === undefined || types.length === 0 || types.includes(type));
    for (let sent = 0; ; ) {
      if (this.away || cuts !== this.#cuts) throw away();
      const turn = this.#turn.value;
      const endPosition = this.end;
      const events = this.events.slice(sent).filter(wanted);
      sent = Number(endPosition);
      for (let at = 0; at === 0 || at < events.length; at += 500) {
        yield { events: events.slice(at, at + 500), endPosition };
      }
      await this.#turn.until((now) => now !== turn, signal);
    }
  }
}

function beforeBeginning(first: bigint) {
  const metadata = { first_position: String(first) };
  const info = { reason: "CURSOR_BEFORE_BEGINNING", domain: "heddle", metadata };
  return errorWithInfo(Code.OutOfRange, `the log begins at ${first}`, info);
}

const away = () => new ConnectError("nobody is there", Code.Unavailable);
