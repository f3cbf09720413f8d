import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { ServedCall } from "../call/served-call.ts";
import { whole } from "../wire/grpc/messages.ts";
import type { Handle } from "./rpcs.ts";

type AnyFn = ReturnType<Interceptor>;
type Request = Parameters<AnyFn>[0];
type Response = Awaited<ReturnType<AnyFn>>;

/**
 * The handler within the application's interceptors, which see a call as Connect shows it to them: everything an own
 * property, and requests and answers of every streaming method as AsyncIterables. Without interceptors it is the handler
 * itself.
 */
export function intercepted(method: DescMethod, handle: Handle, interceptors: readonly Interceptor[]): Handle {
  if (interceptors.length === 0) return handle;
  const inside = [...interceptors].reverse();
  return async (message, context) => {
    const call = context as ServedCall;
    let next: AnyFn = async (req) => {
      const asked =
        method.methodKind === "server_streaming" ? await single(req.message as AsyncIterable<unknown>) : req.message;
      return answerOf(call, await handle(asked, contextOf(call, req)));
    };
    for (const interceptor of inside) next = interceptor(next);
    const { header, trailer, message: answer } = await next(requestOf(call, message));
    copy(header, call.responseHeader);
    copy(trailer, call.responseTrailer);
    return method.methodKind === "client_streaming" ? single(answer as AsyncIterable<unknown>) : answer;
  };
}

function requestOf(call: ServedCall, message: unknown): Request {
  const { method, service, requestMethod, url, signal, requestHeader: header, values: contextValues } = call;
  const shown = method.methodKind === "server_streaming" ? only(message) : message;
  const request = { stream: call.isStream, service, method, requestMethod, url, signal, header, contextValues };
  return { ...request, message: shown } as Request;
}

/** What the handler is told: as interceptors have left it. */
function contextOf(call: ServedCall, req: Request): HandlerContext {
  const { method, protocolName, requestMethod, timeoutMs, responseHeader, responseTrailer } = call;
  const { service, url, signal, header: requestHeader, contextValues: values } = req;
  const told = { method, protocolName, requestMethod, timeoutMs, responseHeader, responseTrailer };
  return { ...told, service, url, signal, requestHeader, values };
}

function answerOf(call: ServedCall, answer: unknown): Response {
  const { method, service, isStream: stream, responseHeader: header, responseTrailer: trailer } = call;
  return { stream, service, method, header, trailer, message: shownAnswer(method, answer) } as Response;
}

function shownAnswer({ methodKind, output }: DescMethod, answer: unknown): Message | AsyncIterable<Message> {
  if (methodKind === "unary") return whole(output, answer);
  if (methodKind === "client_streaming") return only(whole(output, answer));
  return wholeEach(output, answer as AsyncIterable<unknown>);
}

async function* wholeEach(schema: DescMethod["output"], messages: AsyncIterable<unknown>): AsyncIterable<Message> {
  for await (const message of messages) yield whole(schema, message);
}

async function* only<T>(message: T): AsyncIterable<T> {
  yield message;
}

async function single(messages: AsyncIterable<unknown>): Promise<unknown> {
  const found: unknown[] = [];
  for await (const message of messages) found.push(message);
  if (found.length === 1) return found[0];
  throw new ConnectError(`${found.length} messages where one is to be`, Code.Unimplemented);
}

/** An interceptor may answer with Headers of its own. */
function copy(from: Headers, to: Headers): void {
  if (from === to) return;
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}
