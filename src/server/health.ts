import { create, type DescService } from "@bufbuild/protobuf";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import {
  type Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { Watchable } from "../base/watch.ts";
import { errorWithInfo } from "../call/errors.ts";

/** Whether a server is well, as a whole ("") and by service. */
export interface HealthState {
  readonly serving: Watchable<boolean>;
  readonly services: readonly string[];
}

/** A server that is well and serves these services. */
export function healthState(services: readonly DescService[]): HealthState {
  return { serving: new Watchable(true), services: services.map((service) => service.typeName) };
}

/** grpc.health.v1.Health: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function healthService({ serving, services }: HealthState): ServiceImpl<typeof Health> {
  const known = (service: string) => service === "" || services.includes(service);
  const statusNow = () => (serving.value ? Status.SERVING : Status.NOT_SERVING);
  return {
    check({ service }) {
      if (!known(service)) {
        throw errorWithInfo(Code.NotFound, `service ${service} is not served here`, {
          reason: "SERVICE_UNKNOWN",
          domain: "heddle",
        });
      }
      return create(HealthCheckResponseSchema, { status: statusNow() });
    },
    async *watch({ service }, { signal }) {
      if (!known(service)) {
        yield { status: Status.SERVICE_UNKNOWN };
        await serving.until(() => false, signal); // a service cannot appear later: nothing more to say
      }
      for (;;) {
        const told = serving.value;
        yield { status: told ? Status.SERVING : Status.NOT_SERVING };
        await serving.until((now) => now !== told, signal);
      }
    },
    list() {
      return { statuses: Object.fromEntries(["", ...services].map((name) => [name, { status: statusNow() }])) };
    },
  };
}
