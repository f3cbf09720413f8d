import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import { Lifetime } from "../base/lifetime.ts";
import { type CurrentCall, ownValues } from "./context.ts";
import { type Criticality, criticalityTold } from "./criticality.ts";
import { type Fields, fieldOf, headersOf } from "./fields.ts";
import { headers } from "./headers.ts";
import { attemptTold, retryDepthTold } from "./hop.ts";
import { peerKey } from "./peer.ts";

/** What is known of a call when it arrives. */
export interface ServedCallInit {
  readonly method: DescMethod;
  /** "grpc", "grpc-web" or "connect". */
  readonly protocolName: string;
  /** HTTP method of the request. */
  readonly requestMethod: string;
  /** What came with the request: as it was sent, or as somebody has made it into Headers already. */
  readonly header: Fields | Headers;
  /** Only where somebody has made them already. */
  readonly values?: ContextValues | undefined;
  readonly url?: string;
  /** Where it came from, unless `values` say so. */
  readonly peer?: string | undefined;
  /** When its deadline passes, in milliseconds since the epoch. */
  readonly deadlineAt: number | undefined;
  /** When it arrived, in the same milliseconds; and the time now. */
  readonly arrivedAt: number;
  readonly now: () => number;
}

/**
 * A call that is being served, as the steps on its way in, its handler and the calls made on its behalf know it. It is
 * the `HandlerContext` of its handler. What a context carries (Headers, values, an AbortSignal) is made when it is first
 * asked for, since most handlers ask for none of it.
 */
export class ServedCall extends Lifetime implements HandlerContext, CurrentCall {
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly requestMethod: string;
  readonly deadlineAt: number | undefined;
  /** When it arrived, in milliseconds since the epoch. */
  readonly arrivedAt: number;
  /** The request: a message, or an AsyncIterable of messages. Steps may put another in its place. */
  message: unknown = undefined;
  /** Fields behind those of `responseTrailer`, and before anybody has made Headers of any. */
  trailerFields: Fields | undefined;
  readonly #now: () => number;
  readonly #fields: Fields | undefined;
  readonly #peer: string | undefined;
  #url: string | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;
  #traceparent: string | undefined;

  constructor({
    method,
    protocolName,
    requestMethod,
    header,
    values,
    url,
    peer,
    deadlineAt,
    arrivedAt,
    now,
  }: ServedCallInit) {
    super();
    this.method = method;
    this.protocolName = protocolName;
    this.requestMethod = requestMethod;
    this.deadlineAt = deadlineAt;
    this.arrivedAt = arrivedAt;
    this.#now = now;
    this.#url = url;
    this.#peer = peer;
    this.#values = values;
    if (header instanceof Headers) this.#requestHeader = header;
    else this.#fields = header;
  }

  get service(): DescService {
    return this.method.parent;
  }

  /** Whether messages come, or go, one after the other. */
  get isStream(): boolean {
    return this.method.methodKind !== "unary";
  }

  /** Milliseconds the call has left, as a function that may be taken off. */
  get timeoutMs(): () => number | undefined {
    return () => (this.deadlineAt === undefined ? undefined : this.deadlineAt - this.#now());
  }

  get url(): string {
    this.#url ??= this.#urlOfFields();
    return this.#url;
  }

  get values(): ContextValues {
    this.#values ??= ownValues();
    return this.#values;
  }

  /** The network address that it came from; `undefined` where there is no network. */
  get peer(): string | undefined {
    return this.#values?.get(peerKey) ?? this.#peer;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= headersOf(this.#fields ?? []);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The head of the answer, if anybody has asked for it. */
  get madeResponseHeader(): Headers | undefined {
    return this.#responseHeader;
  }

  /** The trailers of the answer, if anybody has asked for them. */
  get madeResponseTrailer(): Headers | undefined {
    return this.#responseTrailer;
  }

  get traceparent(): string | undefined {
    return this.#traceparent ?? this.requestField(headers.traceparent);
  }

  /** What calls made on its behalf are to go by instead. */
  set traceparent(value: string | undefined) {
    this.#traceparent = value;
  }

  get tracestate(): string | undefined {
    return this.#traceparent === undefined ? this.requestField(headers.tracestate) : undefined; // of the other trace
  }

  get criticality(): Criticality {
    return criticalityTold(this.requestField(headers.criticality), this.method);
  }

  get authorization(): string | undefined {
    return this.requestField(headers.authorization);
  }

  get attempt(): number {
    return attemptTold(this.requestField(headers.previousAttempts));
  }

  get retryDepth(): number {
    return retryDepthTold(this.requestField(headers.retryDepth), this.attempt);
  }

  /** One field of the request, without making Headers of all of them. */
  requestField(name: string): string | undefined {
    if (this.#requestHeader === undefined) return fieldOf(this.#fields ?? [], name);
    return this.#requestHeader.get(name) ?? undefined;
  }

  #urlOfFields(): string {
    const of = (name: string) => fieldOf(this.#fields ?? [], name) ?? "";
    return `${of(":scheme")}://${of(":authority") || of("host")}${of(":path")}`;
  }
}
