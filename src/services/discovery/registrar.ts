import type { ConnectError } from "@connectrpc/connect";
import type { Clock, Timer } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { invalidArgument } from "../../call/errors.ts";
import type { Checks } from "./checks.ts";
import type { Journal } from "./journal.ts";
import type { Holder, Leases } from "./leases.ts";
import { statusName } from "./mapping.ts";
import { normalised, type Registration } from "./registration.ts";
import type { Entry, Registry, Verdict } from "./registry.ts";

/** The parts that a registrar keeps in step. */
export interface RegistrarOptions {
  readonly registry: Registry;
  readonly leases: Leases;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
  /** Makes the checks, which report to the registrar. */
  readonly checks: (report: (entry: Entry, verdict: Verdict) => void) => Checks;
  /** How long a registration whose lease lapsed is shown before it is forgotten. */
  readonly lapsedRetentionMs?: number;
  /** How long a registration waits for its first check, to be answered with what that found. */
  readonly firstCheckWaitMs?: number;
}

/** How a renewal went: with a lease that lapses, one that does not, or not at all. */
export type Renewal = "renewed" | "needless" | "unknown";

/** How often leases are looked at. */
const tickMs = 250;
/** How long a start waits for the first checks: as long as one may take by default. */
const startWaitMs = 2_000;

/**
 * Takes registrations in and out, and keeps registry, leases, checks and rows in step. Rows come first: what is
 * acknowledged has been written. What leases and checks find out comes into force at once and is written behind.
 */
export class Registrar implements AsyncDisposable {
  readonly #options: RegistrarOptions;
  readonly #checks: Checks;
  readonly #log: Logger;
  readonly #lapsedRetentionMs: number;
  readonly #firstCheckWaitMs: number;
  #timer: Timer | undefined;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#lapsedRetentionMs = options.lapsedRetentionMs ?? 3_600_000;
    this.#firstCheckWaitMs = options.firstCheckWaitMs ?? 500;
    this.#checks = options.checks((entry, verdict) => this.#report(entry, verdict));
  }

  /**
   * Begins: every lease anew with its full span, every check at once. Resolves when each was checked, or after a while,
   * so that what died during a restart is not handed out after it.
   */
  async start(): Promise<void> {
    const live = this.#options.registry.all().filter((entry) => entry.lapsedAt === undefined);
    for (const entry of live) this.#lease(entry);
    this.#tick();
    const checked = Promise.all(live.map((entry) => this.#checks.add(entry)));
    await this.#atMost(startWaitMs, checked);
  }

  /** Registers, or replaces what has the same id or the same address. Resolves once written and, if quick, checked. */
  async register(asked: Registration): Promise<Entry> {
    const { registry, journal, clock, random } = this.#options;
    const instance = normalised(asked.instance, random);
    const { entry, checked } = await journal.inTurn(async () => {
      const ghostIds = registry.ghosts(instance).map((ghost) => ghost.instance.id);
      const at = clock.wall();
      await journal.write([registry.preview({ ...asked, instance }, at)], ghostIds);
      const entry = registry.put({ ...asked, instance }, at);
      journal.overtake([instance.id, ...ghostIds]);
      for (const id of ghostIds) this.#letGo(id);
      this.#lease(entry);
      this.#log.info("registered", { id: instance.id, host: instance.host, port: instance.port, replaced: ghostIds });
      return { entry, checked: this.#checks.add(entry) };
    });
    await this.#atMost(this.#firstCheckWaitMs, checked);
    const now = registry.get(instance.id);
    return now?.serial === entry.serial ? now : entry;
  }

  /** Takes an instance out; one that is not there is out already. A name, if given, has to be the one it has. */
  async deregister({ id, name = "" }: { readonly id: string; readonly name?: string }): Promise<void> {
    const { registry, journal } = this.#options;
    await journal.inTurn(async () => {
      const known = registry.get(id)?.instance.name ?? name;
      if (name !== "" && name !== known) throw misnamed(id, known);
      await journal.write([], [id]);
      journal.overtake([id]);
      this.#letGo(id);
      if (registry.remove(id)) this.#log.info("deregistered", { id });
    });
  }

  /** Renews a lease for as long as this stream lasts. */
  renew(id: string, holder: Holder): Renewal {
    const { registry, leases, clock } = this.#options;
    if (leases.renew(id, holder, clock.now())) return "renewed";
    const entry = registry.get(id);
    return entry?.term === "until-deregistered" ? "needless" : "unknown";
  }

  /** No lease lapses from now on: discovery is going, and its streams with it. */
  holdLeases(): void {
    this.#timer?.cancel();
  }

  /** A keep-alive stream has ended. Who held it is checked at once: a process that died is not handed out for the grace. */
  release(holder: Holder): void {
    const { registry, leases, clock } = this.#options;
    for (const id of leases.release(holder, clock.now())) {
      const entry = registry.get(id);
      if (entry) void this.#checks.add(entry);
    }
  }

  /** Stops leases and checks, and writes what is left to write. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.holdLeases();
    this.#checks[Symbol.dispose]();
    await this.#options.journal[Symbol.asyncDispose]();
  }

  #report(entry: Entry, verdict: Verdict): void {
    const { registry, clock } = this.#options;
    const version = registry.version;
    registry.report(entry, verdict, clock.wall());
    if (registry.version !== version) this.#note(entry.instance.id, verdict.reason);
  }

  #tick(): void {
    const { registry, leases, clock, journal } = this.#options;
    const now = clock.wall(); // what is lapsed is kept, and shown with its date, over a restart
    for (const id of leases.lapsed(clock.now())) {
      this.#checks.drop(id);
      registry.lapse(id, now);
      this.#note(id, "its lease lapsed");
    }
    for (const { instance, lapsedAt = now } of registry.all()) {
      if (now - lapsedAt < this.#lapsedRetentionMs) continue;
      registry.remove(instance.id);
      journal.note(instance.id, undefined);
    }
    this.#timer = clock.setTimer(tickMs, () => this.#tick());
  }

  #note(id: string, why: string): void {
    const entry = this.#options.registry.get(id);
    this.#options.journal.note(id, entry);
    this.#log.info("status changed", { id, status: entry && statusName(entry.instance.status), why });
  }

  #lease({ instance: { id }, term }: Entry): void {
    const { leases, clock } = this.#options;
    if (term === "kept-alive") leases.begin(id, clock.now());
    else leases.end(id);
  }

  #letGo(id: string): void {
    this.#options.leases.end(id);
    this.#checks.drop(id);
  }

  #atMost(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(ms, resolve);
      void done.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function misnamed(id: string, known: string): ConnectError {
  return invalidArgument([{ field: "name", description: `instance ${id} is called ${known}` }]);
}
