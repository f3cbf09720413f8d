import type { DescService } from "@bufbuild/protobuf";
import type { ServiceConfig } from "@grpc/grpc-js";
import { openMesh } from "../mesh/mesh.ts";
import type { Resolver } from "../mesh/resolve/resolver.ts";
import { bareConfig, serviceConfigFor } from "./service-config.ts";

/** Where endpoints come from. */
export interface SourceOptions {
  /** Discovery's "host:port", or several between commas. Default `HEDDLE_DISCOVERY`, else 127.0.0.1:8500. */
  readonly discovery?: string;
  /** Finds endpoints instead of discovery; stays open for its owner to close. */
  readonly resolver?: Resolver;
  /** Where the last good endpoints are kept for a start without discovery. By default nowhere. */
  readonly cacheDir?: string;
}

/** What grpc-js is told of services: their endpoints, and the policies of those whose contracts are known. */
export class Source implements AsyncDisposable {
  readonly resolver: Resolver;
  readonly #configs = new Map<string, ServiceConfig>();
  readonly #owned: AsyncDisposable | undefined;

  constructor(resolver: Resolver, owned?: AsyncDisposable) {
    this.resolver = resolver;
    this.#owned = owned;
  }

  /** Channels made or updated from now on follow these contracts. Throws PolicyError if one contradicts itself. */
  describe(services: readonly DescService[]): void {
    for (const service of services) this.#configs.set(service.typeName, serviceConfigFor(service));
  }

  configOf(service: string): ServiceConfig {
    return this.#configs.get(service) ?? bareConfig;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.[Symbol.asyncDispose]();
  }
}

/** Opens a source over the resolver given, or over discovery. */
export async function openSource({ resolver, discovery, cacheDir }: SourceOptions): Promise<Source> {
  if (resolver !== undefined) return new Source(resolver);
  const mesh = await openMesh({ ...(discovery && { discovery }), ...(cacheDir && { cacheDir }) });
  return new Source(mesh.resolver, mesh);
}
