/** `heddle/grpc-js`: for teams whose clients are made with @grpc/grpc-js, by ts-proto or by hand. */
import type { DescService } from "@bufbuild/protobuf";
import { assertPolicies } from "../call/policy.ts";
import { forget, registerScheme, scheme } from "./name-resolver.ts";
import { openSource, type Source, type SourceOptions } from "./source.ts";

export { serviceConfigFor } from "./service-config.ts";
export { type GrpcServiceDefinition, serviceDefinitionOf } from "./service-definition.ts";

/** How grpc-js finds services. */
export interface HeddleResolverOptions extends SourceOptions {
  /**
   * Contracts whose policies go to the channels together with the endpoints, as `serviceConfigFor` spells them.
   * Other services get round robin alone.
   */
  readonly services?: readonly DescService[];
}

/** What stands behind `heddle:///` targets, until it is closed. Channels made before keep what they know. */
export interface HeddleResolver extends AsyncDisposable {}

const registered = new Map<unknown, Promise<Source>>();

/**
 * Lets grpc-js resolve `heddle:///package.Service`: every client made from now on follows the service's endpoints.
 *
 * Registering the same discovery or resolver again gives back what there is, and adds `services` to it; another one
 * takes over for clients made later. A channel that sets `grpc.service_config_disable_resolution: 1` keeps its own
 * service config.
 */
export async function registerHeddleResolver(options: HeddleResolverOptions = {}): Promise<HeddleResolver> {
  const { services = [], resolver, discovery } = options;
  services.forEach(assertPolicies); // before anything is opened
  const key = resolver ?? discovery ?? "";
  const opening = registered.get(key) ?? openSource(options);
  registered.set(key, opening);
  const source = await opening;
  source.describe(services);
  registerScheme(source);
  return {
    async [Symbol.asyncDispose]() {
      if (registered.get(key) === opening) registered.delete(key);
      forget(source);
      await source[Symbol.asyncDispose]();
    },
  };
}

/** The target of a service's channel: "heddle:///shop.user.v1.UserService". */
export function heddleTarget(service: DescService | string): string {
  return `${scheme}:///${typeof service === "string" ? service : service.typeName}`;
}
