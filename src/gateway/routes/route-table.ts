import type { DescService } from "@bufbuild/protobuf";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import { type Followed, Watchable } from "../../base/watch.ts";
import { assertPolicies } from "../../call/policy.ts";
import type { Rpcs } from "../../wire/grpc/rpc.ts";
import type { Aggregate } from "../aggregate/aggregate.ts";
import { answeringAggregates } from "../aggregate/aggregates.ts";
import type { ResolvedAggregate } from "../aggregate/resolved.ts";
import { passThrough } from "../upstream/pass-through.ts";
import { type Answerer, answererOf } from "../upstream/port.ts";
import { restUpstream } from "../upstream/rest-upstream.ts";
import type { WayUpstream } from "../upstream/way.ts";
import type { Contract } from "./contract.ts";

/** All that is routed, at one moment. Replaced whole, never changed: a request sees one state of it. */
export interface Routes {
  readonly contracts: ReadonlyMap<string, Contract>;
  /** Services whose newest description cannot be used. What was routed of them before still is. */
  readonly refused: ReadonlyMap<string, Refused>;
  /** What is composed of several calls, with what is in the way of it: for documentation and `/health`. */
  readonly aggregates: readonly ResolvedAggregate[];
  readonly answer: Answerer;
  /** What gRPC calls are answered by directly, with messages that nobody decodes. */
  readonly rpcs: Rpcs;
}

/** Why a description is not used; the contract itself where there is one that a change elsewhere may yet make usable. */
export interface Refused {
  readonly problem: string;
  readonly contract?: Contract;
}

/** What a table of routes needs. */
export interface RouteTableOptions {
  readonly way: WayUpstream;
  /** Paths that are answered with what several calls bring. Default none. */
  readonly aggregates?: readonly Aggregate[];
  /** For aggregates that do not say how long they may take. Default 5 s. */
  readonly aggregateTimeoutMs?: number;
  readonly log: Logger;
}

/** Keeps the routes: takes in contracts that agree with themselves and with those already routed, refuses the others. */
export class RouteTable {
  readonly #options: RouteTableOptions;
  readonly #routes: Watchable<Routes>;

  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#routes = new Watchable<Routes>({
      contracts: new Map(),
      refused: new Map(),
      ...this.#answering([]),
    });
  }

  get routes(): Followed<Routes> {
    return this.#routes;
  }

  /** Routes the service as the contract has it now, or refuses that and leaves everything as it was. */
  offer(contract: Contract): void {
    if (!this.#take(contract)) return;
    for (const [, refused] of this.#routes.value.refused) if (refused.contract) this.#take(refused.contract);
  }

  /** Notes that a service describes itself in a way that cannot be used. */
  refuse(service: string, problem: string, contract?: Contract): void {
    const { refused, ...rest } = this.#routes.value;
    if (refused.get(service)?.problem !== problem)
      this.#options.log.warn("a description was refused; its old routes stay", { service, problem });
    const noted: Refused = { problem, ...(contract && { contract }) };
    this.#routes.set({ ...rest, refused: new Map([...refused, [service, noted]]) });
  }

  /** Whether anything changed by it. */
  #take(contract: Contract): boolean {
    const { typeName } = contract.service;
    const { contracts, refused } = this.#routes.value;
    const known = contracts.get(typeName);
    const changed = isNews(contract, known);
    if (!changed && !refused.has(typeName)) return false;
    const now = new Map([...contracts, [typeName, changed ? contract : (known ?? contract)]]);
    try {
      assertPolicies(contract.service);
      this.#routes.set({ contracts: now, refused: without(refused, typeName), ...this.#answering(servicesOf(now)) });
    } catch (reason) {
      this.refuse(typeName, messageOf(reason), contract);
      return false;
    }
    this.#options.log.info(changed ? "routed" : "routed as before", { service: typeName, by: contract.owner });
    return changed;
  }

  /** What contracts have goes before aggregates, which so cost nobody else anything. */
  #answering(services: readonly DescService[]): Pick<Routes, "answer" | "aggregates" | "rpcs"> {
    const { way, log, aggregates = [], aggregateTimeoutMs: timeoutMs = 5_000 } = this.#options;
    const answer = answererOf(services, way);
    const rpcs = passThrough(services, way);
    if (aggregates.length === 0) return { answer, rpcs, aggregates: [] };
    const { clock, json = {} } = way;
    const tools = { transport: restUpstream(way), timeoutMs, json, clock, log };
    const composed = answeringAggregates({ aggregates, services, ...tools });
    return { answer: orElse(answer, composed.answer), rpcs, aggregates: composed.resolved };
  }
}

function orElse(first: Answerer, second: Answerer): Answerer {
  return async (request) => (await first(request)) ?? second(request);
}

/** Comments alone are news, too; their absence is not, for the replica that has none is of the same version. */
function isNews({ digest, comments }: Contract, known: Contract | undefined): boolean {
  return digest !== known?.digest || (comments !== undefined && comments !== known.comments);
}

function servicesOf(contracts: ReadonlyMap<string, Contract>): DescService[] {
  return [...contracts.values()].map(({ service }) => service);
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  return new Map([...map].filter(([name]) => name !== key));
}
