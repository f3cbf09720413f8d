import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Instance, InstanceSchema, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Registration } from "./registration.ts";
import type { Registry, Verdict } from "./registry.ts";

/** An instance for tests: what is not said is a user replica at 127.0.0.1:8001. */
export function testInstance(wanted: Exclude<MessageInitShape<typeof InstanceSchema>, Instance> = {}): Instance {
  const usual = { id: "user-1", name: "user", services: ["shop.user.v1.UserService"], host: "127.0.0.1", port: 8001 };
  return create(InstanceSchema, { ...usual, weight: 100, ...wanted });
}

/** A registration of such an instance, until it is taken out. */
export function testRegistration(wanted: Parameters<typeof testInstance>[0] = {}): Registration {
  return { instance: testInstance(wanted), term: "until-deregistered" };
}

/** Registers such an instance and lets it pass its first check. */
export function putHealthy(registry: Registry, wanted: Parameters<typeof testInstance>[0] = {}): void {
  registry.report(registry.put(testRegistration(wanted), 0), healthy, 0);
}

/** What a check says of an instance that is well. */
export const healthy: Verdict = { status: Status.HEALTHY, reason: "it is well" };

/** What a check says of an instance that does not answer. */
export const away: Verdict = { status: Status.UNAVAILABLE, reason: "nothing listens there" };
