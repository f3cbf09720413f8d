import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { ConsulService } from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Instance, InstanceSchema, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { seededRandom } from "../../base/random.ts";
import { discoveryRows } from "../../services/discovery/instance-entity.ts";
import { keptInRows } from "../../services/discovery/kept.ts";
import { openDiscovery } from "../../services/discovery/open-discovery.ts";
import type { Probe } from "../../services/discovery/probes.ts";
import type { Registration } from "../../services/discovery/registration.ts";
import type { Registry, Verdict } from "../../services/discovery/registry.ts";
import { openStore } from "../../store/orm.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase, type TestDatabase } from "../../testing/open-database.ts";

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

/** What a test may choose. */
export interface TestDiscoveryOptions {
  readonly database?: TestDatabase;
  readonly clock?: FakeClock;
  readonly probe?: Probe;
}

/** Discovery over a database of its own and a clock that stands still, with clients of both its services. */
export async function openTestDiscovery(options: TestDiscoveryOptions = {}) {
  const { clock = fakeClock(), probe = async () => healthy } = options;
  const own = new AsyncDisposableStack();
  const database = options.database ?? own.use(await openDatabase());
  const store = own.use(await openStore({ ...discoveryRows, ...database }));
  const opened = own.use(await openDiscovery({ kept: keptInRows(store), clock, probe, random: seededRandom(1) }));
  const transport = createRouterTransport((router) => {
    router.service(DiscoveryService, opened.discovery).service(ConsulService, opened.consul);
  });
  return {
    ...opened,
    store,
    clock,
    client: createClient(DiscoveryService, transport),
    consulClient: createClient(ConsulService, transport),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}
