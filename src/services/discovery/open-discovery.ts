import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { Checks } from "./checks.ts";
import { consulService } from "./consul-service.ts";
import { discoveryService } from "./discovery-service.ts";
import { Journal } from "./journal.ts";
import type { Kept } from "./kept.ts";
import { type LeaseOptions, Leases } from "./leases.ts";
import { type Probe, socketProbe } from "./probes.ts";
import { Registrar } from "./registrar.ts";
import { Registry } from "./registry.ts";

/** What discovery is made of. */
export interface DiscoveryOptions {
  /** What it knows again after a restart. */
  readonly kept: Kept;
  readonly lease?: LeaseOptions;
  /** How long a registration whose lease lapsed is shown as unavailable before it is forgotten. */
  readonly lapsedRetentionMs?: number;
  readonly probe?: Probe;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** Discovery without its port: what it serves, and what it is. */
export interface Discovery extends AsyncDisposable {
  readonly discovery: ReturnType<typeof discoveryService>;
  readonly consul: ReturnType<typeof consulService>;
  readonly registry: Registry;
  readonly registrar: Registrar;
  /** Ends every stream, so that a drain need not wait for those who follow. */
  endStreams(): void;
}

/** Opens discovery over what it kept, its instances checked anew: ready to serve once it resolves. */
export async function openDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { clock = systemClock, random = systemRandom, log = silentLogger, probe = socketProbe() } = options;
  const journal = new Journal(options.kept, log);
  const registry = new Registry(await journal.start());
  const leases = new Leases(options.lease);
  const { lapsedRetentionMs = 3_600_000 } = options;
  const checks: ConstructorParameters<typeof Registrar>[0]["checks"] = (report) =>
    new Checks({ probe, report, clock, random });
  const registrar = new Registrar({ registry, leases, journal, clock, random, log, checks, lapsedRetentionMs });
  await registrar.start();
  const closing = new AbortController();
  const endStreams = () => {
    registrar.holdLeases();
    closing.abort();
  };
  return {
    discovery: discoveryService({ registry, registrar, leaseTtlMs: leases.ttlMs, clock, closing: closing.signal }),
    consul: consulService({ registry, registrar }),
    registry,
    registrar,
    endStreams,
    async [Symbol.asyncDispose]() {
      endStreams();
      await registrar[Symbol.asyncDispose]();
    },
  };
}
