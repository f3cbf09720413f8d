import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpackTo } from "@bufbuild/protobuf/wkt";
import { type CallOptions, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { systemClock } from "../../base/clock.ts";
import { addHeaders, fromConnectError, toHeaders } from "./convert.ts";
import {
  type ClientCompatRequest,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { StreamType } from "./gen/connectrpc/conformance/v1/config_pb.ts";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayloadSchema,
  ConformanceService,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  UnimplementedRequestSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";

/** Makes the call that the request describes, and tells all that came of it. */
export async function invoke(request: ClientCompatRequest, transport: Transport): Promise<ClientResponseResult> {
  const call = new Invocation(request);
  try {
    for await (const { payload } of call.answers(transport)) call.answered(payload);
  } catch (reason) {
    call.failed(ConnectError.from(reason));
  }
  return call.result();
}

interface Answer {
  readonly payload?: ConformancePayload | undefined;
}

/** One call: what is sent and when, when it is given up, and what has come. */
class Invocation {
  readonly #request: ClientCompatRequest;
  readonly #result = create(ClientResponseResultSchema);
  readonly #abort = new AbortController();
  /** Resolves when the next answer has come, or none will. */
  #next = Promise.withResolvers<void>();
  #sent = 0;

  constructor(request: ClientCompatRequest) {
    this.#request = request;
  }

  answered(payload = create(ConformancePayloadSchema)): void {
    const { payloads } = this.#result;
    payloads.push(payload);
    const { cancel } = this.#request;
    if (cancel?.cancelTiming.case === "afterNumResponses" && cancel.cancelTiming.value === payloads.length) {
      this.#abort.abort();
    }
    this.#wake();
  }

  failed(error: ConnectError): void {
    this.#result.error = fromConnectError(error);
    this.#result.responseTrailers.push(...toHeaders(error.metadata));
    this.#result.numUnsentRequests = this.#request.requestMessages.length - this.#sent;
    this.#wake();
  }

  result(): ClientResponseResult {
    return this.#result;
  }

  async *answers(transport: Transport): AsyncGenerator<Answer> {
    const client = createClient(ConformanceService, transport);
    const options = this.#options();
    switch (this.#request.method) {
      case "Unary":
        return yield await client.unary(this.#only(UnaryRequestSchema), options);
      case "IdempotentUnary":
        return yield await client.idempotentUnary(this.#only(IdempotentUnaryRequestSchema), options);
      case "Unimplemented":
        return void (await client.unimplemented(this.#only(UnimplementedRequestSchema), options));
      case "ServerStream":
        return yield* client.serverStream(this.#only(ServerStreamRequestSchema), options);
      case "ClientStream":
        return yield await client.clientStream(this.#all(ClientStreamRequestSchema), options);
      case "BidiStream":
        return yield* client.bidiStream(this.#all(BidiStreamRequestSchema), options);
      default:
        throw new Error(`there is no method ${this.#request.method}`);
    }
  }

  #options(): CallOptions {
    const headers = new Headers();
    addHeaders(headers, this.#request.requestHeaders);
    return {
      headers,
      signal: this.#abort.signal,
      onHeader: (header) => void this.#result.responseHeaders.push(...toHeaders(header)),
      onTrailer: (trailer) => void this.#result.responseTrailers.push(...toHeaders(trailer)),
      ...(this.#request.timeoutMs !== undefined && { timeoutMs: this.#request.timeoutMs }),
    };
  }

  /** The request of a call that has but one. */
  #only<T extends DescMessage>(schema: T): MessageShape<T> {
    const [message, ...more] = this.#request.requestMessages;
    if (message === undefined || more.length > 0) throw new Error("the call takes exactly one request");
    this.#sent = 1;
    this.#allSent();
    return unpacked(message, schema);
  }

  /** The requests of a stream: one after the other, or each once the one before has been answered. */
  async *#all<T extends DescMessage>(schema: T): AsyncGenerator<MessageShape<T>> {
    const { requestMessages, requestDelayMs, streamType, cancel } = this.#request;
    for (const message of requestMessages) {
      if (requestDelayMs > 0) await systemClock.sleep(requestDelayMs, this.#abort.signal);
      const { promise: answered } = this.#next;
      this.#sent++;
      yield unpacked(message, schema);
      if (streamType === StreamType.FULL_DUPLEX_BIDI_STREAM) await answered;
    }
    if (cancel?.cancelTiming.case === "beforeCloseSend") this.#abort.abort();
    else this.#allSent();
  }

  /** The sending side is about to be closed: from here on counts when the call is to be given up. */
  #allSent(): void {
    const { cancel } = this.#request;
    if (cancel === undefined) return;
    const { cancelTiming: timing } = cancel;
    if (timing.case !== undefined && timing.case !== "afterCloseSendMs") return;
    systemClock.setTimer(timing.value ?? 0, () => this.#abort.abort());
  }

  #wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}

function unpacked<T extends DescMessage>(message: Any, schema: T): MessageShape<T> {
  const found = anyUnpackTo(message, schema, create(schema));
  if (found === undefined) throw new Error(`${message.typeUrl} is no ${schema.typeName}`);
  return found;
}
