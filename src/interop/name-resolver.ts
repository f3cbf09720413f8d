import { type ChannelOptions, experimental, status } from "@grpc/grpc-js";
import type { Resolution } from "../mesh/resolve/resolver.ts";
import type { Source } from "./source.ts";

/** Targets that begin with it are resolved here: "heddle:///shop.user.v1.UserService". */
export const scheme = "heddle";

/** The channel option that names a channel's own source. It is no part of a connection, so connections are shared. */
export const sourceOption = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.heddle_source`;

let known = false;
let shared: Source | undefined;

/** Makes the scheme known to grpc-js. Channels resolve by their own source, or by `source`, the last one told. */
export function registerScheme(source = shared): void {
  if (!known) experimental.registerResolver(scheme, NameResolver);
  known = true;
  shared = source;
}

/** The source of channels that have none of their own. */
export function sharedSource(): Source | undefined {
  return shared;
}

/** Channels made from now on no longer resolve by the source. */
export function forget(source: Source): void {
  if (shared === source) shared = undefined;
}

/**
 * grpc-js's view of one followed service: each change of its endpoints goes to the channel, policies with them.
 * While nothing is known yet it says nothing, and calls wait as long as their deadline lets them.
 */
class NameResolver implements experimental.Resolver {
  readonly #service: string;
  readonly #listener: experimental.ResolverListener;
  readonly #source: Source;
  /** grpc-js's own switch: the channel's `grpc.service_config` counts, and not the contract's. */
  readonly #ownConfig: boolean;
  #leave: (() => void) | undefined;
  #reported: string | undefined;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    const source: unknown = options[sourceOption] ?? shared;
    if (source === undefined) throw new Error(`nobody resolves ${target.path}: await registerHeddleResolver() first`);
    this.#service = serviceOf(target);
    this.#listener = listener;
    this.#source = source as Source; // the option's one writer is createNiceClient
    this.#ownConfig = options["grpc.service_config_disable_resolution"] === 1;
  }

  /** Begins to follow. Asked again there is nothing to do: changes come by themselves. */
  updateResolution(): void {
    if (this.#leave !== undefined) return;
    const followed = this.#source.resolver.resolve(this.#service);
    const leave = followed.subscribe((resolution) => this.#report(resolution));
    this.#leave = leave;
    queueMicrotask(() => {
      if (this.#leave === leave) this.#report(followed.value); // grpc-js wants no answer before this call returns
    });
  }

  /** Stops to follow, until `updateResolution` is called again. */
  destroy(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#reported = undefined;
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return serviceOf(target);
  }

  /** The same addresses are not told twice: the channel would begin its round anew. */
  #report(resolution: Resolution): void {
    if (resolution.kind === "pending") return;
    const addresses = resolution.endpoints.map(({ address }) => address);
    if (addresses.join() === this.#reported) return;
    if (addresses.length > 0) return this.#tell(grpcEndpoints(addresses), addresses.join());
    // An error leaves a channel the endpoints it has; an empty list takes them away, but has its calls wait forever.
    if (this.#reported) this.#tell(experimental.statusOrFromValue([]), "");
    this.#tell(noEndpoint(this.#service, resolution), "");
  }

  #tell(endpoints: Endpoints, addresses: string): void {
    this.#reported = addresses;
    const config = this.#ownConfig ? null : experimental.statusOrFromValue(this.#source.configOf(this.#service));
    this.#listener(endpoints, {}, config, "");
  }
}

type Endpoints = experimental.StatusOr<experimental.Endpoint[]>;

function grpcEndpoints(addresses: readonly string[]): Endpoints {
  const found: experimental.Endpoint[] = [];
  for (const address of addresses) {
    const parts = experimental.splitHostPort(address);
    if (parts?.port === undefined) return unavailable(`"${address}" is no host:port`);
    found.push({ addresses: [{ host: parts.host, port: parts.port }] });
  }
  return experimental.statusOrFromValue(found);
}

function noEndpoint(service: string, resolution: Exclude<Resolution, { kind: "pending" }>): Endpoints {
  const away = resolution.kind === "last-known" ? `, and discovery is away: ${resolution.problem}` : "";
  return unavailable(`no endpoint of ${service} is known${away}`);
}

/** What calls fail with. */
function unavailable(details: string): Endpoints {
  return experimental.statusOrFromError({ code: status.UNAVAILABLE, details });
}

function serviceOf({ path }: experimental.GrpcUri): string {
  if (/^[\w.]+$/.test(path)) return path;
  throw new Error(`"${path}" is no service's name: a target reads like ${scheme}:///shop.user.v1.UserService`);
}
