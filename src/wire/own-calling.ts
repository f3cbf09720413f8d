import type { ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest } from "@connectrpc/connect/protocol";
import { type Fields, fieldsOf } from "../call/fields.ts";
import type { Reset } from "../http2/events.ts";
import type { Limits } from "../http2/limits.ts";
import type { Stream } from "../http2/stream.ts";
import type { CalledStream } from "./called-stream.ts";
import type { SessionOptions } from "./engine.ts";
import type { Called } from "./grpc/called.ts";
import { Caller } from "./grpc/caller.ts";
import type { Encoded } from "./grpc/messages.ts";
import type { Attempt } from "./grpc/rpc.ts";
import type { OwnParts } from "./own.ts";
import { Call } from "./own-call.ts";
import { Pipe } from "./own-pipe.ts";

/** Where requests go, and how. */
export interface CallingOptions extends SessionOptions, OwnParts {
  readonly address: string;
  readonly limits: Partial<Limits>;
}

/** The client's end of a connection: sends requests, and tells each what arrives on its stream. */
export abstract class CallingPipe extends Pipe {
  readonly #address: string;
  readonly #scheme: "http" | "https";
  readonly #caller: Caller;
  #given = 0;
  #isProven = false;

  constructor({ address, network, clock, tls, limits, compression, maxMessageBytes }: CallingOptions) {
    const { soon } = network;
    super(network.connect(address, tls), { clock, role: "client", limits, ...(soon && { soon }) });
    this.#address = address;
    this.#scheme = tls ? "https" : "http";
    const send = { ...(compression && { compression }), ...(maxMessageBytes && { maxMessageBytes }) };
    this.#caller = new Caller({ ...send, http2: this.http2, scheme: this.#scheme, authority: address, clock });
  }

  /** How many requests it was given. */
  get given(): number {
    return this.#given;
  }

  /** Whether its peer has ever taken one: answered it, gone with it, or said on its leave that it might do it yet. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Sends a request; `undefined` when the peer has no room for one. */
  request(request: UniversalClientRequest): Call | undefined {
    const pathAt = request.url.indexOf("/", request.url.indexOf("://") + 3);
    const path = pathAt === -1 ? "/" : request.url.slice(pathAt);
    const head = [":method", request.method, ":scheme", this.#scheme, ":authority", this.#address, ":path", path];
    const stream = this.http2.openStream(fieldsOf(head, request.header), request.body === undefined);
    if (stream === undefined) return undefined;
    const call = new Call(this.http2, stream, request, this.#over);
    stream.owner = call;
    this.#began();
    return call;
  }

  /** Sends an attempt of a gRPC call; `undefined` when the peer has no room for one. */
  call(attempt: Attempt, encoded: Encoded | undefined): Called | undefined {
    const called = this.#caller.call(attempt, encoded, this.#over);
    if (called !== undefined) this.#began();
    return called;
  }

  /** A request that it was given is over. */
  protected abstract requestEnded(): void;
  /** A stream is over. */
  abstract override closed(): void;
  /** What became of the connection, for a request that it took with it. */
  protected abstract lost(why: string): ConnectError;

  override goAway(lastId: number): void {
    this.#isProven ||= lastId > 0 && this.#given > 0;
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    this.#isProven = true;
    const call = stream.owner as CalledStream;
    call.headers(fields, endStream);
    if (endStream) call.ended();
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.owner as CalledStream;
    if (end > start) call.data(bytes, start, end);
    if (endStream) call.ended();
  }

  trailers(stream: Stream, fields: Fields): void {
    const call = stream.owner as CalledStream;
    call.trailers(fields);
    call.ended();
  }

  writable(stream: Stream): void {
    (stream.owner as CalledStream).writable();
  }

  reset(stream: Stream, reset: Reset): void {
    this.#isProven ||= !reset.isUnprocessed;
    (stream.owner as CalledStream).reset(reset, (why) => this.lost(why));
    this.closed();
  }

  /** A request keeps the process alive until it is over. */
  #began(): void {
    this.#given++;
    this.socket.ref();
  }

  readonly #over = (): void => {
    this.requestEnded();
    this.closed();
  };
}
