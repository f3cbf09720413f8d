import type { ServiceImpl } from "@connectrpc/connect";
import type { ConsulService } from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { assertValid } from "../../call/validate.ts";
import { fromConsul, toConsul } from "./consul-mapping.ts";
import type { Registrar } from "./registrar.ts";
import type { Registry } from "./registry.ts";

/** What the handlers stand on. */
export interface ConsulServiceOptions {
  readonly registry: Registry;
  readonly registrar: Registrar;
}

/**
 * heddle.discovery.v1.ConsulService: the same registry for clients of Consul's HTTP API. Consul's requests are valid
 * already; what they make of an instance is held against the rules of ours, which are narrower.
 */
export function consulService({ registry, registrar }: ConsulServiceOptions): ServiceImpl<typeof ConsulService> {
  return {
    async registerAgentService(request) {
      const registration = fromConsul(request);
      assertValid(InstanceSchema, registration.instance);
      await registrar.register(registration);
      return {};
    },
    async deregisterAgentService({ serviceId }) {
      await registrar.deregister({ id: serviceId });
      return {};
    },
    listServiceHealth({ service, passing }) {
      const entries = registry.select({ service, includeUnhealthy: !passing });
      const instances = entries.map((entry) => entry.instance).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return { entries: instances.map(toConsul) };
    },
  };
}
