import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
} from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext, type Transport } from "@connectrpc/connect";
import { saidOutside } from "../../rest/response/error.ts";
import { passBack, passOnRequest } from "./headers.ts";

/**
 * Implements a service by calling it: every method hands its messages to `upstream` and brings back what comes, headers,
 * trailers and errors included. The caller's deadline bounds the call upstream; a caller that leaves ends it.
 */
export function forwarding(service: DescService, upstream: Transport): object {
  return Object.fromEntries(service.methods.map((method) => [method.localName, forwardMethod(method, upstream)]));
}

function forwardMethod(method: DescMethod, upstream: Transport) {
  if (method.methodKind === "unary") {
    const call = { method: method as DescMethodUnary, upstream };
    return (message: Message, context: HandlerContext) => unary(call, message, context);
  }
  const call = { method: method as DescMethodStreaming, upstream };
  switch (method.methodKind) {
    case "server_streaming":
      return (message: Message, context: HandlerContext) => stream(call, one(message), context);
    case "client_streaming":
      return (messages: Messages, context: HandlerContext) => collect(call, messages, context);
    case "bidi_streaming":
      return (messages: Messages, context: HandlerContext) => stream(call, messages, context);
  }
}

type Messages = AsyncIterable<Message>;

interface Call<M extends DescMethod> {
  readonly method: M;
  readonly upstream: Transport;
}

async function unary(
  { method, upstream }: Call<DescMethodUnary>,
  message: Message,
  context: HandlerContext,
): Promise<Message> {
  try {
    const header = passOnRequest(context.requestHeader);
    const answer = await upstream.unary(method, context.signal, context.timeoutMs(), header, message, context.values);
    passBack(answer.header, context.responseHeader);
    passBack(answer.trailer, context.responseTrailer);
    return answer.message;
  } catch (reason) {
    throw passedBack(reason);
  }
}

async function* stream(
  { method, upstream }: Call<DescMethodStreaming>,
  messages: Messages,
  context: HandlerContext,
): AsyncGenerator<Message> {
  try {
    const header = passOnRequest(context.requestHeader);
    const answer = await upstream.stream(method, context.signal, context.timeoutMs(), header, messages);
    passBack(answer.header, context.responseHeader);
    yield* answer.message;
    passBack(answer.trailer, context.responseTrailer);
  } catch (reason) {
    throw passedBack(reason);
  }
}

/** The one answer to a stream of requests; an answer that never came is told by the call's own error. */
async function collect(call: Call<DescMethodStreaming>, messages: Messages, context: HandlerContext): Promise<Message> {
  let last: Message = create(call.method.output);
  for await (const message of stream(call, messages, context)) last = message;
  return last;
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}

/**
 * The error as it came, code, message and details intact, without the headers of the hop that it came over. That the service
 * could not be reached is said without its address.
 */
export function passedBack(reason: unknown): ConnectError {
  const error = saidOutside(ConnectError.from(reason));
  const metadata = new Headers();
  passBack(error.metadata, metadata);
  const made = new ConnectError(error.rawMessage, error.code, metadata, undefined, error.cause);
  made.details = error.details;
  return made;
}
