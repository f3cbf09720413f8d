import { ConsulService } from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { serve } from "../../app/run.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { openStore } from "../../store/orm.ts";
import { discoveryConfig } from "./config.ts";
import { discoveryRows } from "./instance-entity.ts";
import { keptInRows } from "./kept.ts";
import { openDiscovery } from "./open-discovery.ts";
import { ownRegistration } from "./own-registration.ts";

const title = "heddle discovery";
const { logLevel, zone, advertise, ...config } = readSettings(title, discoveryConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "discovery" } });
await using store = await orExit(title, openStore({ ...discoveryRows, ...config, log }));
await using discovery = await openDiscovery({ ...config, kept: keptInRows(store), log });

const services = [
  [DiscoveryService, discovery.discovery],
  [ConsulService, discovery.consul],
] as const;
// It registers with itself, below: by its own address it could not reach itself before it listens.
const server = await orExit(
  title,
  serve({
    ...config,
    name: "discovery",
    descriptors: heddleDescriptors,
    services,
    discovery: false,
    signals: false,
    log,
  }),
);
const { host, port, adminPort } = server;
const { version } = config;
const isSecure = config.tlsFiles !== undefined;
const own = services.map(([service]) => service);
const registration = ownRegistration({ host, advertise, port, adminPort, isSecure, zone, version, services: own });
await discovery.registrar.register(registration);

/** Leases first: none may lapse because the drain cuts the streams that hold them. */
async function stop(): Promise<void> {
  discovery.endStreams();
  const { id } = registration.instance;
  await discovery.registrar.deregister({ id }).catch((error) => log.warn("could not take itself out", { error }));
  await server.drain();
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
await server.drained;
