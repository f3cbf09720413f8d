import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { ConnectError, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "../../base/clock.ts";
import { addHeaders, type RequestInfo, requestInfo, toConnectError } from "./convert.ts";
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  type ClientStreamRequest,
  ClientStreamRequestSchema,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorMessage,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";

interface Answer {
  readonly payload: MessageInitShape<typeof ConformancePayloadSchema>;
}

/** The service that the suite's clients call: it does what each request tells it to. `Unimplemented` stays so. */
export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  unary: (request, context) => one(request.responseDefinition, [anyPack(UnaryRequestSchema, request)], context),

  idempotentUnary: (request, context) =>
    one(request.responseDefinition, [anyPack(IdempotentUnaryRequestSchema, request)], context),

  async clientStream(requests, context) {
    let first: ClientStreamRequest | undefined;
    const packed: Any[] = [];
    for await (const request of requests) {
      first ??= request;
      packed.push(anyPack(ClientStreamRequestSchema, request));
    }
    return one(first?.responseDefinition, packed, context);
  },

  async *serverStream(request, context) {
    announce(request.responseDefinition, context);
    yield* many(request.responseDefinition, [anyPack(ServerStreamRequestSchema, request)], context);
  },

  async *bidiStream(requests, context) {
    let first: BidiStreamRequest | undefined;
    let sent = 0;
    const unanswered: Any[] = [];
    for await (const request of requests) {
      if (first === undefined) announce(request.responseDefinition, context);
      first ??= request;
      unanswered.push(anyPack(BidiStreamRequestSchema, request));
      if (!first.fullDuplex) continue;
      const data = first.responseDefinition?.responseData[sent];
      if (data === undefined) break;
      await pause(first.responseDefinition, context);
      const info = sent++ === 0 ? requestInfo(context) : {};
      yield { payload: { data, requestInfo: { ...info, requests: unanswered.splice(0) } } };
    }
    yield* many(first?.responseDefinition, unanswered, context, sent);
  },
};

/** The one answer to a call, or its error. */
async function one(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<Answer> {
  const info = { ...requestInfo(context), requests };
  announce(definition, context);
  await pause(definition, context);
  const response = definition?.response;
  if (response?.case === "error") throw withInfo(response.value, info);
  return { payload: { requestInfo: info, ...(response?.case === "responseData" && { data: response.value }) } };
}

/** The answers to a call from number `sent` on, once its requests are all there; the first of all tells what was asked. */
async function* many(
  definition: StreamResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
  sent = 0,
): AsyncGenerator<Answer> {
  const info = { ...requestInfo(context), requests };
  const { responseData = [], error } = definition ?? {};
  for (let i = sent; i < responseData.length; i++) {
    await pause(definition, context);
    yield { payload: { data: responseData[i] as Uint8Array, ...(i === 0 && { requestInfo: info }) } };
  }
  if (error !== undefined) throw responseData.length === 0 ? withInfo(error, info) : toConnectError(error);
}

type Definition = UnaryResponseDefinition | StreamResponseDefinition | undefined;

function announce(definition: Definition, { responseHeader, responseTrailer }: HandlerContext): void {
  addHeaders(responseHeader, definition?.responseHeaders ?? []);
  addHeaders(responseTrailer, definition?.responseTrailers ?? []);
}

async function pause(definition: Definition, { signal }: HandlerContext): Promise<void> {
  const ms = definition?.responseDelayMs ?? 0;
  if (ms > 0) await systemClock.sleep(ms, signal);
}

/** The error, and with it what no answer will tell. */
function withInfo(error: ErrorMessage, info: RequestInfo): ConnectError {
  const failed = toConnectError(error);
  failed.details.push({ desc: ConformancePayload_RequestInfoSchema, value: info });
  return failed;
}
