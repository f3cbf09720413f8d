import { create, type DescMethod, toJson } from "@bufbuild/protobuf";
import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { type Fault, type FaultPlan, FaultPlanSchema, FaultSchema } from "../../../gen/heddle/fault/v1/fault_pb.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Attempt } from "../../wire/grpc/rpc.ts";
import type { SessionPool } from "../../wire/session-pool.ts";
import { targetOf } from "../resolve/static.ts";
import type { AttemptFacts } from "../story.ts";
import { faultFor, faultsOf } from "./decision.ts";
import { happen, kindOf } from "./happening.ts";
import { type FaultSource, faultPlanOf } from "./plan.ts";
import { assertFaultsAllowed } from "./production.ts";

/** What faults happen by. */
export interface FaultsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What goes wrong on purpose in the calls of a mesh; it may be changed while they are under way. */
export class Faults {
  readonly #parts: FaultsParts;
  #plan = create(FaultPlanSchema);
  #injector: Injector | undefined;

  constructor(parts: FaultsParts) {
    this.#parts = parts;
  }

  /** What goes wrong now. */
  get plan(): FaultPlan {
    return this.#plan;
  }

  /** Lets it happen to attempts; `undefined` where nothing goes wrong, so that this costs calls nothing. */
  get injector(): Injector | undefined {
    return this.#injector;
  }

  /**
   * Lets this go wrong from the next attempt on, instead of what went wrong before. Throws FaultPlanError if it says what
   * cannot be, and where faults are not allowed: in production, unless that is switched on.
   */
  set(source: FaultSource): void {
    const plan = faultPlanOf(source);
    if (plan.faults.length > 0) assertFaultsAllowed();
    const { log } = this.#parts;
    const had = this.#injector !== undefined;
    this.#plan = plan;
    this.#injector = plan.faults.length === 0 ? undefined : new Injector(plan, this.#parts);
    if (this.#injector !== undefined) log.info("calls meet faults on purpose", { faults: plan.faults.map(spelled) });
    else if (had) log.info("calls meet no faults any more");
  }

  /** Nothing goes wrong any more. */
  clear(): void {
    this.set("");
  }
}

const spelled = (fault: Fault) => toJson(FaultSchema, fault);

/** Lets the faults of one plan happen. */
export class Injector {
  readonly #plan: FaultPlan;
  readonly #parts: FaultsParts;
  /** By method; weak, for a gateway's methods come and go with the contracts that it hears of. */
  readonly #faults = new WeakMap<DescMethod, readonly Fault[]>();
  readonly #servicesSeen = new Set<string>();

  constructor(plan: FaultPlan, parts: FaultsParts) {
    this.#plan = plan;
    this.#parts = parts;
  }

  /** Sends the attempt, or lets happen to it what the plan has for it, which is noted in its facts. */
  send(attempt: Attempt, facts: AttemptFacts, sessions: SessionPool): Promise<UnaryResponse | StreamResponse> {
    const { endpoint } = facts;
    const { clock, random } = this.#parts;
    const fault = faultFor(this.#of(attempt.method), { endpoint, fields: attempt.fields }, random);
    if (fault === undefined) return sessions.send(targetOf(endpoint), attempt);
    facts.fault = kindOf(fault);
    return happen(fault, { attempt, clock, send: (late) => sessions.send(targetOf(endpoint), late) });
  }

  #of(method: DescMethod): readonly Fault[] {
    const known = this.#faults.get(method);
    if (known !== undefined) return known;
    this.#see(method);
    const made = faultsOf(this.#plan, method);
    this.#faults.set(method, made);
    return made;
  }

  /** A mesh hears of a service when it is first called: only then can it tell that a method was misspelled. */
  #see({ parent }: DescMethod): void {
    if (this.#servicesSeen.has(parent.typeName)) return;
    this.#servicesSeen.add(parent.typeName);
    for (const { service, method } of this.#plan.faults) {
      const isMisspelled = service === parent.typeName && method !== "" && !hasMethod(parent.methods, method);
      if (isMisspelled) this.#parts.log.warn("a fault is for a method that its service has not", { service, method });
    }
  }
}

function hasMethod(methods: readonly DescMethod[], name: string): boolean {
  return methods.some((method) => method.name === name);
}
