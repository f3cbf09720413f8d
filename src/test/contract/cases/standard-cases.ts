import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { EventService } from "../../../../gen/heddle/event/v1/event_service_pb.ts";
import { SubscriptionService } from "../../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../../gen/shop/user/v2/user_pb.ts";
import { OpenRcaService } from "../../../../gen/xds/service/orca/v3/orca_pb.ts";
import { answers, type Case, fails } from "../case.ts";

const { check, list, watch } = Health.method;
const service = UserService.typeName;
/** What the server of the user service serves of its own. */
const served = [service, UserServiceV2.typeName, EventService.typeName, SubscriptionService.typeName];

/** grpc.health.v1.Health. */
export const healthCases: readonly Case[] = [
  answers(check, "the whole server", {
    given: () => ({}),
    check: ([{ status }]) => expect(status).toBe(Serving.SERVING),
  }),
  answers(check, "one service", {
    given: () => ({ service }),
    check: ([{ status }]) => expect(status).toBe(Serving.SERVING),
  }),
  fails(check, "a service that is not here", {
    given: () => ({ service: "shop.nobody.v1.Nobody" }),
    code: Code.NotFound,
    reason: "SERVICE_UNKNOWN",
  }),
  answers(list, "the server and each service", {
    given: () => ({}),
    check: ([{ statuses }]) => expect(Object.keys(statuses)).toEqual(["", ...served]),
  }),
  answers(watch, "as it is now", {
    given: () => ({ service }),
    take: 1,
    check: ([{ status }]) => expect(status).toBe(Serving.SERVING),
  }),
  answers(watch, "a service that is not here, as unknown", {
    given: () => ({ service: "shop.nobody.v1.Nobody" }),
    take: 1,
    check: ([{ status }]) => expect(status).toBe(Serving.SERVICE_UNKNOWN),
  }),
];

/** xds.service.orca.v3.OpenRcaService. */
export const loadCases: readonly Case[] = [
  answers(OpenRcaService.method.streamCoreMetrics, "the load as it is now", {
    given: () => ({}),
    take: 1,
    check([{ applicationUtilization, rpsFractional, namedMetrics }]) {
      expect(applicationUtilization).toBeGreaterThanOrEqual(0);
      expect(applicationUtilization).toBeLessThanOrEqual(1);
      expect(rpsFractional).toBeGreaterThanOrEqual(0);
      expect(Object.keys(namedMetrics)).toEqual(["heddle.event_loop_delay_ms"]);
    },
  }),
];

/** grpc.reflection, in both its versions, which differ in name alone. */
export const reflectionCases: readonly Case[] = [
  reflection(ServerReflection.method.serverReflectionInfo),
  reflection(ServerReflectionAlpha.method.serverReflectionInfo as never),
];

function reflection(method: typeof ServerReflection.method.serverReflectionInfo): Case {
  return answers(method, "a talk of four questions", {
    given: () => [
      { messageRequest: { case: "listServices" as const, value: "" } },
      { messageRequest: { case: "fileContainingSymbol" as const, value: service } },
      { messageRequest: { case: "fileByFilename" as const, value: "shop/user/v1/user.proto" } },
      { messageRequest: { case: "fileContainingSymbol" as const, value: "shop.nobody.v1.Nobody" } },
    ],
    check: (told) => {
      expect(told.map(({ messageResponse }) => messageResponse.case)).toEqual([
        "listServicesResponse",
        "fileDescriptorResponse",
        "fileDescriptorResponse",
        "errorResponse",
      ]);
      expect(told[0].messageResponse.value).toMatchObject({
        service: [...served, Health.typeName].map((name) => ({ name })),
      });
      expect(told[3]?.messageResponse.value).toMatchObject({ errorCode: Code.NotFound });
    },
  });
}
