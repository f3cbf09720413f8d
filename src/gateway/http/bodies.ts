import { Code, type ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import { isByteStream } from "../../call/whole-body.ts";
import { jsonAnswer } from "../../server/answers.ts";
import { overloaded } from "../../server/overloaded.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import type { Room } from "../../wire/grpc/rpc.ts";
import { ArrivingBody, type BodyOwner } from "./arriving-body.ts";

/** What the bodies of requests may take, all together. */
export interface BodyLimits {
  /** Bytes that are held of bodies that are being read, or whose request is being answered. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Bodies that are being read at once; streams are not among them. Default 2,000. */
  readonly maxAtOnce?: number;
  /** Time in which a body has to arrive that is no stream, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number;
}

/** What bounding bodies needs. */
export interface BodyLimitsOptions {
  readonly limits: BodyLimits;
  /** What they have to fit in, with all that is not read here. */
  readonly room: Room;
  readonly clock: Clock;
}

/** Room for the bodies of requests, whoever reads them: so many bytes may be held of all together. */
export function createRoom({ maxBytes = 256 * 1024 * 1024 }: BodyLimits = {}): Room {
  let held = 0;
  return {
    grown(bytes) {
      if (bytes > 0 && held + bytes > maxBytes) return tooMuch(maxBytes);
      held += bytes;
      return undefined;
    },
  };
}

function tooMuch(maxBytes: number): ConnectError {
  const message = `the bodies of all requests together are over ${maxBytes} bytes`;
  const metadata = { limit: "body-bytes", bytes: String(maxBytes) };
  return overloaded({ message, metadata, retryAfterMs });
}

/** After so long another try may find room. */
const retryAfterMs = 1_000;

/**
 * Bounds what senders can make the gateway hold, however many they are, however slow, and however much each may send: who
 * does not fit in is refused with RESOURCE_EXHAUSTED (429), who takes too long with DEADLINE_EXCEEDED (REST: 408). Of a
 * stream only the message counts that has not wholly arrived, and it may take as long as it likes.
 */
export function withBodyLimits({ limits, room, clock }: BodyLimitsOptions, inner: HttpHandler): HttpHandler {
  const bodies = new Bodies(limits, room, clock);
  return (request) => (mayHaveBody(request) ? bodies.answer(request, inner) : inner(request));
}

function mayHaveBody({ method, body }: UniversalServerRequest): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  return isByteStream(body);
}

class Bodies implements BodyOwner {
  readonly #maxAtOnce: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #room: Room;
  #reading = 0;

  constructor({ maxAtOnce = 2_000, timeoutMs = 30_000 }: BodyLimits, room: Room, clock: Clock) {
    this.#room = room;
    this.#maxAtOnce = maxAtOnce;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
  }

  async answer(request: UniversalServerRequest, inner: HttpHandler): Promise<UniversalServerResponse> {
    const body = new ArrivingBody(request, this);
    try {
      const answer = await inner({ ...request, body });
      return body.isLate && answer.status === 504 ? { ...answer, status: 408 } : answer;
    } catch (reason) {
      if (body.problem === undefined || reason !== body.problem) throw reason;
      return refusalOf(body.problem); // whoever read it did not know how to answer
    } finally {
      body.done();
    }
  }

  begun(body: ArrivingBody): ConnectError | undefined {
    if (this.#reading >= this.#maxAtOnce) return this.#tooMany();
    this.#reading++;
    body.dueAt = this.#clock.now() + this.#timeoutMs;
    this.#deadlines.add(body.dueAt, body);
    return undefined;
  }

  ended(body: ArrivingBody): void {
    this.#reading--;
    this.#deadlines.remove(body.dueAt, body);
  }

  grown(bytes: number): ConnectError | undefined {
    return this.#room.grown(bytes);
  }

  late(): ConnectError {
    return deadlineExceeded(`the body of the request had not arrived within ${this.#timeoutMs / 1_000} s`);
  }

  #tooMany(): ConnectError {
    const message = `the gateway is reading ${this.#maxAtOnce} bodies at once and reads no more`;
    const metadata = { limit: "bodies", bodies: String(this.#maxAtOnce) };
    return overloaded({ message, metadata, retryAfterMs });
  }
}

function refusalOf({ code, rawMessage: message }: ConnectError): UniversalServerResponse {
  if (code === Code.DeadlineExceeded) return jsonAnswer(408, { code, message, details: [] });
  return jsonAnswer(429, { code, message, details: [] }, { "retry-after": String(retryAfterMs / 1_000) });
}
