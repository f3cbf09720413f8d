import type { DescMethod, DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { type Failure, failureOf } from "./failure.ts";

/** One call to be made. */
export interface Call {
  readonly method: DescMethod;
  readonly origin: string;
  readonly requests: readonly Message[];
  /** What the caller proves itself with, if with anything. */
  readonly authorization: string | undefined;
  /** Answers after which the caller leaves. */
  readonly take: number | undefined;
}

/** What came of a call. */
export interface Outcome {
  readonly answers: readonly Message[];
  readonly failure: Failure | undefined;
  /** What HTTP said, where HTTP is what the caller sees. */
  readonly http?: { readonly status: number; readonly header: Headers };
}

/** A way to make a call: a protocol, or a REST path. */
export interface Way {
  readonly name: string;
  call(call: Call): Promise<Outcome>;
}

interface RpcWay {
  readonly name: string;
  readonly open: (baseUrl: string) => Transport;
  readonly fits: (method: DescMethod) => boolean;
}

/** HTTP/1.1 sends its request before it hears an answer: no talking both ways. */
const oneWay = (method: DescMethod) => method.methodKind === "unary" || method.methodKind === "server_streaming";
const isRead = (method: DescMethod) =>
  method.methodKind === "unary" && method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;

const rpcWays: readonly RpcWay[] = [
  { name: "gRPC", fits: () => true, open: (baseUrl) => createGrpcTransport({ baseUrl }) },
  { name: "gRPC-Web", fits: oneWay, open: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }) },
  {
    name: "Connect",
    fits: () => true,
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true }),
  },
  {
    name: "Connect JSON",
    fits: oneWay,
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  },
  {
    name: "Connect GET",
    fits: isRead,
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useHttpGet: true }),
  },
];

/** The RPC protocols that can call the method. */
export function rpcWaysOf(method: DescMethod): readonly Way[] {
  return rpcWays.filter(({ fits }) => fits(method)).map(({ name, open }) => wayOver(name, open));
}

function wayOver(name: string, open: RpcWay["open"]): Way {
  return {
    name,
    async call(call) {
      const answers: Message[] = [];
      try {
        await collect(transportOf(name, call.origin, open), call, answers);
        return { answers, failure: undefined };
      } catch (reason) {
        if (!(reason instanceof ConnectError)) throw reason;
        return { answers, failure: failureOf(reason) };
      }
    },
  };
}

const transports = new Map<string, Transport>();

function transportOf(name: string, origin: string, open: RpcWay["open"]): Transport {
  const key = `${name} ${origin}`;
  const known = transports.get(key) ?? open(origin);
  transports.set(key, known);
  return known;
}

async function collect(transport: Transport, call: Call, answers: Message[]): Promise<void> {
  const { method, requests, authorization, take = Number.POSITIVE_INFINITY } = call;
  const header = authorization === undefined ? {} : { authorization };
  if (method.methodKind === "unary") return void answers.push(await unary(transport, { ...call, header }));
  const leave = new AbortController();
  const streaming = method as DescMethodStreaming;
  const { message } = await transport.stream(streaming, leave.signal, undefined, header, asStream(requests));
  for await (const answer of message) {
    answers.push(answer);
    if (answers.length >= take) break;
  }
  leave.abort();
}

async function unary(
  transport: Transport,
  { method, header, requests }: Call & { header: HeadersInit },
): Promise<Message> {
  const [request] = requests;
  if (request === undefined) throw new Error(`${method.name} is called with a request`);
  return (await transport.unary(method as DescMethodUnary, undefined, undefined, header, request)).message;
}

async function* asStream<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}
