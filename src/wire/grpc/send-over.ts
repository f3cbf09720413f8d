import type { DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { type Clock, systemClock } from "../../base/clock.ts";
import { formatGrpcTimeout } from "../../call/deadline.ts";
import { headersOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { progressOf } from "../../call/progress.ts";
import { isStream, orAborted, untilAborted } from "../../call/stream.ts";
import { compressions, compressMinBytes } from "./compressions.ts";
import { orLate } from "./late.ts";
import { compressionNamed, maxMessageBytes } from "./messages.ts";
import { rawOver } from "./raw-over.ts";
import type { Attempt, Send, SendOptions } from "./rpc.ts";

/** What sending by Connect may differ in. */
export interface SendOverOptions extends SendOptions {
  /** By default the machine's. */
  readonly clock?: Clock;
}

/** Sends attempts by Connect's own gRPC client, over whatever sends a request for it. */
export function sendOver(httpClient: UniversalClientFn, baseUrl: string, options: SendOverOptions = {}): Send {
  const { clock = systemClock } = options;
  const most = options.maxMessageBytes ?? maxMessageBytes;
  const transport = createTransport({
    httpClient,
    baseUrl,
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [...compressions],
    sendCompression: compressionNamed(options.compression) ?? null,
    compressMinBytes,
    readMaxBytes: most,
    writeMaxBytes: most,
  });
  return rawOver(async (attempt) => {
    const { method, message, lifetime } = attempt;
    const sentAt = clock.now();
    /** Why a caller left need not be a ConnectError; what it is told is. */
    const rethrown = (reason: unknown): never => {
      throw orLate(ConnectError.from(reason, Code.Canceled), attempt, clock.now() - sentAt);
    };
    const { signal } = lifetime;
    const header = headerOf(attempt);
    if (!isStream(message) && method.methodKind === "unary") {
      const unary = method as DescMethodUnary;
      return orAborted(transport.unary(unary, signal, undefined, header, message), signal).catch(rethrown);
    }
    const source = (isStream(message) ? message : only(message))[Symbol.asyncIterator]();
    const leave = () => void source.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
    const messages = shielded(source);
    try {
      const sending = transport.stream(method as DescMethodStreaming, signal, undefined, header, messages);
      const res = await orAborted(sending, signal);
      const onEnd = (reason?: unknown) => {
        leave();
        attempt.onStreamEnd?.(reason);
      };
      return { ...res, message: rethrowing(untilAborted(res.message, signal, onEnd), rethrown) } as StreamResponse;
    } catch (reason) {
      if (progressOf(ConnectError.from(reason)) !== "not-sent") leave(); // else they are sent again
      return rethrown(reason);
    }
  });
}

async function* rethrowing<T>(messages: AsyncIterable<T>, rethrown: (reason: unknown) => never): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (reason) {
    rethrown(reason);
  }
}

/** The messages for one attempt, which cannot end their source: another attempt may have to send them. */
function shielded(source: AsyncIterator<unknown>): AsyncIterable<Message> {
  const iterator = {
    next: () => source.next() as Promise<IteratorResult<Message>>,
    throw: (reason: unknown) => Promise.reject(reason), // Connect asks for one
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function headerOf({ fields, timeoutMs }: Attempt): Headers {
  const header = headersOf(fields);
  if (timeoutMs !== undefined) header.set(headers.grpcTimeout, formatGrpcTimeout(timeoutMs));
  return header;
}

async function* only<T>(message: T): AsyncIterable<T> {
  yield message;
}
