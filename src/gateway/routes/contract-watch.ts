import { Code, ConnectError } from "@connectrpc/connect";
import { type Instance, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import type { Followed } from "../../base/watch.ts";
import { type Contract, DescriptorError } from "./contract.ts";
import type { Fleet } from "./fleet.ts";

/** Asks an instance to describe one of its services. */
export type ReadContract = (instance: Instance, service: string, signal: AbortSignal) => Promise<Contract>;

/** What watching contracts needs. */
export interface ContractWatchOptions {
  readonly fleet: Followed<Fleet>;
  readonly read: ReadContract;
  /** Takes a contract that was read; it may be one that is known already. */
  readonly offer: (contract: Contract) => void;
  /** Takes note of an instance that describes a service in a way that cannot be used. */
  readonly refuse: (service: string, problem: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The instance itself answers so, and would again: there is no use in asking it twice. */
const lasting: ReadonlySet<Code> = new Set([
  Code.Unimplemented,
  Code.NotFound,
  Code.InvalidArgument,
  Code.PermissionDenied,
  Code.Unauthenticated,
]);

/** Asks every instance that appears, and every new version of one, to describe its services: once, and until it answers. */
export class ContractWatch implements AsyncDisposable {
  readonly #options: ContractWatchOptions;
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;
  /** Services being asked for. */
  readonly #running = new Map<string, Promise<void>>();
  /** Who has answered, service by service. */
  readonly #asked = new Map<string, ReadonlySet<string>>();

  constructor(options: ContractWatchOptions) {
    this.#options = options;
    this.#unsubscribe = options.fleet.subscribe(() => this.#look());
    this.#look();
  }

  /** Whether every service that is registered has been described at least once: what is not routed then is not there. */
  get isSettled(): boolean {
    const { kind, instances } = this.#options.fleet.value;
    if (kind === "pending") return false;
    return instances.every(({ services }) =>
      services.every((service) => isInfrastructure(service) || this.#asked.has(service)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort(new Error("the gateway is closed"));
    await Promise.all(this.#running.values());
  }

  #look(): void {
    const { instances } = this.#options.fleet.value;
    for (const service of new Set(instances.flatMap((instance) => instance.services))) {
      if (isInfrastructure(service) || this.#running.has(service) || this.#unasked(service).length === 0) continue;
      this.#running.set(service, this.#askAll(service));
    }
  }

  /** Those who serve it, can be reached and have not been asked, in the order they came: the newest has the last word. */
  #unasked(service: string): readonly Instance[] {
    const asked = this.#asked.get(service);
    return this.#options.fleet.value.instances
      .filter(({ services, status }) => services.includes(service) && status !== Status.UNAVAILABLE)
      .filter((instance) => !asked?.has(keyOf(instance)))
      .sort((a, b) => Number((a.registerTime?.seconds ?? 0n) - (b.registerTime?.seconds ?? 0n)));
  }

  async #askAll(service: string): Promise<void> {
    await this.#ask(service);
    this.#running.delete(service);
    if (!this.#closing.signal.aborted) this.#look(); // somebody may have come since the last look
  }

  /** Asks until nobody is left who has not answered. */
  async #ask(service: string): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    const backoffMs = fullJitter({ initialMs: 200, maxMs: 5_000, random });
    for (let round = 1; !signal.aborted; round++) {
      const instances = this.#unasked(service);
      if (instances.length === 0) return;
      let silent = 0;
      for (const instance of instances) if (!(await this.#askOne(instance, service))) silent++;
      if (silent > 0) await clock.sleep(backoffMs(round), signal).catch(() => {}); // closing ends the loop
    }
  }

  /** Whether the instance has answered, be it badly. */
  async #askOne(instance: Instance, service: string): Promise<boolean> {
    const { read, offer, refuse, log } = this.#options;
    const { id } = instance;
    try {
      offer(await read(instance, service, this.#closing.signal));
    } catch (reason) {
      const problem = messageOf(reason);
      if (!(reason instanceof DescriptorError) && !lasting.has(ConnectError.from(reason).code)) {
        log.debug("an instance does not describe its service yet", { service, id, problem });
        return false;
      }
      refuse(service, `${id}: ${problem}`);
    }
    this.#noteAsked(service, instance);
    return true;
  }

  /** Forgets those who are gone, so that what is remembered does not grow. */
  #noteAsked(service: string, instance: Instance): void {
    const present = new Set(this.#options.fleet.value.instances.map(keyOf));
    const kept = [...(this.#asked.get(service) ?? [])].filter((key) => present.has(key));
    this.#asked.set(service, new Set([...kept, keyOf(instance)]));
  }
}

/**
 * Health and reflection are every server's own, and who comes by the door is not to say what is routed behind it: nobody's
 * calls to them, or to discovery, are passed on.
 */
function isInfrastructure(service: string): boolean {
  return service.startsWith("grpc.") || service.startsWith("heddle.");
}

function keyOf({ id, version }: Instance): string {
  return `${id} ${version}`;
}
