/** `heddle/nice-grpc`: for teams whose clients are made with nice-grpc. */
import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Channel, type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import {
  type CallOptions,
  type Client,
  createClientFactory,
  type MethodDefinition,
  type ServiceDefinition,
} from "nice-grpc";
import { type DeadlineOptions, deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import { type RetryOptions, retryMiddleware } from "nice-grpc-client-middleware-retry";
import { heddleTarget } from "./grpc-js.ts";
import { registerScheme, sharedSource, sourceOption } from "./name-resolver.ts";
import { policyForOthers } from "./repeats.ts";
import { attemptConfigFor, retryableCodes } from "./service-config.ts";
import { serviceDefinitionOf } from "./service-definition.ts";
import { openSource, type SourceOptions } from "./source.ts";

/** How a nice-grpc client finds and reaches its service. */
export interface NiceClientOptions extends SourceOptions {
  /** Default: plain text. */
  readonly credentials?: ChannelCredentials;
  /** More options of the grpc-js channel. */
  readonly channelOptions?: ChannelOptions;
}

/** Call options of each method, and those that the two middlewares read. */
export type NiceCallOptions = CallOptions & DeadlineOptions & RetryOptions;

/** A contract as nice-grpc describes services; its methods are named as in Connect clients: `getUser`. */
export type NiceServiceDefinition<S extends DescService> = {
  [K in keyof S["method"]]: MethodDefinition<
    MessageInitShape<S["method"][K]["input"]>,
    MessageShape<S["method"][K]["input"]>,
    MessageInitShape<S["method"][K]["output"]>,
    MessageShape<S["method"][K]["output"]>,
    Streams<S["method"][K], "client_streaming">,
    Streams<S["method"][K], "server_streaming">
  >;
};

type Streams<M extends DescMethod, Way extends DescMethod["methodKind"]> = M["methodKind"] extends
  | Way
  | "bidi_streaming"
  ? true
  : false;

/**
 * Methods as in Connect's `Client`: the same names, messages and iterables. Options are nice-grpc's, and failures are
 * its `ClientError`. Closing it closes its channel.
 */
export type NiceClient<S extends DescService> = Client<NiceServiceDefinition<S>, DeadlineOptions & RetryOptions> &
  AsyncDisposable;

/**
 * Makes a nice-grpc client of the service on a `heddle:///` channel that follows its endpoints by round robin; to be
 * closed after use.
 *
 * The contract sets deadline and repeats, through nice-grpc's own middlewares. These repeat calls, so the channel's
 * service config has no retry policy, and no attempt is multiplied; it limits the attempt, and tells the server how
 * long that is. Without `discovery` and `resolver` it resolves as registered for grpc-js, or else by default discovery.
 */
export async function createNiceClient<S extends DescService>(
  service: S,
  options: NiceClientOptions = {},
): Promise<NiceClient<S>> {
  const config = JSON.stringify(attemptConfigFor(service));
  const found = (options.resolver ?? options.discovery) ? undefined : sharedSource();
  const source = found ?? (await openSource(options));
  registerScheme();
  const channel = new Channel(heddleTarget(service), options.credentials ?? credentials.createInsecure(), {
    ...options.channelOptions,
    [sourceOption]: source,
    "grpc.service_config": config,
    "grpc.service_config_disable_resolution": 1,
  });
  const client = createClientFactory()
    .use(retryMiddleware) // inside of the deadline: all attempts share one
    .use(deadlineMiddleware)
    .create(niceDefinitionOf(service) as ServiceDefinition, channel, niceCallOptionsOf(service));
  return Object.assign(client as Client<NiceServiceDefinition<S>, DeadlineOptions & RetryOptions>, {
    async [Symbol.asyncDispose]() {
      channel.close();
      if (source !== found) await source[Symbol.asyncDispose]();
    },
  });
}

/** The contract as nice-grpc takes it, for a client factory of one's own. */
export function niceDefinitionOf<S extends DescService>(service: S): NiceServiceDefinition<S> {
  return serviceDefinitionOf(service) as unknown as NiceServiceDefinition<S>; // nice-grpc takes grpc-js's as they are
}

/**
 * The contract's deadlines and repeats as default call options, by method. `retry` is always said: the middleware by
 * itself knows only ts-proto's `idempotency_level`. It has no budget, and its `retryMaxAttempts` leaves out the first.
 */
export function niceCallOptionsOf(service: DescService): Record<string, NiceCallOptions> {
  return Object.fromEntries(service.methods.map((method) => [method.localName, callOptionsOf(method)]));
}

function callOptionsOf(method: DescMethod): NiceCallOptions {
  const policy = policyForOthers(method);
  const { maxAttempts, initialBackoffMs, maxBackoffMs, perAttemptTimeoutMs } = policy.retry;
  return {
    ...(policy.timeoutMs !== undefined && { deadline: policy.timeoutMs }),
    retry: maxAttempts > 1,
    retryMaxAttempts: maxAttempts - 1,
    retryBaseDelayMs: initialBackoffMs,
    retryMaxDelayMs: maxBackoffMs,
    retryableStatuses: retryableCodes(policy, perAttemptTimeoutMs !== undefined) as number[], // gRPC's numbers
  };
}
