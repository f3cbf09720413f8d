import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";
import type { Deadlines, Due } from "../base/deadlines.ts";
import { Lifetime } from "../base/lifetime.ts";
import { deadlineExceeded } from "./errors.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { methodName } from "./method.ts";

/** What the caller gives with a call. */
export interface OutgoingCallInit {
  readonly method: DescMethod;
  /** The request: a message, or an AsyncIterable of what messages are made from. */
  readonly message: Message | AsyncIterable<unknown>;
  /**
   * Whether answers are RawMessages, whose bytes nobody here reads. By default they are messages. A request may be either
   * in any call.
   */
  readonly isRaw?: boolean;
  readonly header?: HeadersInit | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The time that the caller gives the call, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly values?: ContextValues | undefined;
}

/**
 * A call on its way out, as the steps of a client know it: one for all its attempts. When it is canceled, by its caller,
 * its deadline or the call on whose behalf it is made, so is the attempt under way.
 */
export class OutgoingCall extends Lifetime implements Due {
  readonly method: DescMethod;
  /** Steps may put another in its place, the same for every attempt. */
  message: Message | AsyncIterable<unknown>;
  readonly isRaw: boolean;
  readonly timeoutMs: number | undefined;
  readonly values: ContextValues | undefined;
  /** Header fields that go with every attempt, beyond gRPC's own. Steps may add to them. */
  fields: Fields;
  #deadlines: Deadlines | undefined;
  /** When its deadline passes, in milliseconds since the epoch. */
  deadlineAt: number | undefined;
  /** How long it had when its deadline was set, in milliseconds. */
  allowedMs = 0;
  /** How many hops above this one are attempts after the first. */
  retryDepth = 0;

  constructor({ method, message, isRaw = false, header, signal, timeoutMs, values }: OutgoingCallInit) {
    super();
    this.method = method;
    this.message = message;
    this.isRaw = isRaw;
    this.timeoutMs = timeoutMs;
    this.values = values;
    this.fields = header === undefined ? none : fieldsFrom(header);
    if (signal !== undefined) this.heed(signal);
  }

  get isStream(): boolean {
    return this.method.methodKind !== "unary";
  }

  /** Gives it its deadline, in milliseconds since the epoch, which is taken back when it has ended. */
  endBy(deadlineAt: number, deadlines: Deadlines): void {
    this.deadlineAt = deadlineAt;
    this.#deadlines = deadlines;
    deadlines.add(deadlineAt, this);
  }

  override end(reason?: unknown): void {
    if (this.deadlineAt !== undefined) this.#deadlines?.remove(this.deadlineAt, this);
    super.end(reason);
  }

  /** Its deadline has passed. */
  expire(): void {
    this.cancel(this.late());
  }

  /** What the caller is told then. */
  late(): Error {
    const ms = Math.max(0, Math.round(this.allowedMs));
    return deadlineExceeded(`${methodName(this.method)} had ${ms} ms and needed more`);
  }
}

const none: Fields = [];

/** Fields that gRPC's client writes itself, whatever the caller says. */
const written = new Set(["content-type", "te", "grpc-encoding", "grpc-accept-encoding", "content-length", "host"]);

function fieldsFrom(header: HeadersInit): Fields {
  const given = header instanceof Headers ? header : new Headers(header);
  const fields = fieldsOf([], given);
  for (let i = fields.length - 2; i >= 0; i -= 2) if (written.has(fields[i] as string)) fields.splice(i, 2);
  return fields;
}
