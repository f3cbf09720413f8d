import type { DescService } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { messageOf } from "../../base/message-of.ts";
import { unavailable } from "../../call/errors.ts";
import { bindingsOf } from "../../rest/routes/rules.ts";
import type { Aggregate, Part, ResolvedPart } from "./aggregate.ts";
import { shapeOf } from "./check.ts";

/** A part whose method is not there, or is not as the part wants it. */
export interface UnresolvedPart {
  readonly part: Part;
  readonly call: undefined;
  readonly problem: ConnectError;
}

/** An aggregate as it can be answered with what is routed at one moment. */
export interface ResolvedAggregate {
  readonly aggregate: Aggregate;
  readonly timeoutMs: number;
  /** Each after all that it needs. */
  readonly parts: readonly (ResolvedPart | UnresolvedPart)[];
  /** Whether a contract has its path, and answers instead. */
  readonly isHidden: boolean;
  /** What is in its way, for people who run the gateway; empty when all is well. */
  readonly problems: readonly string[];
}

/** What aggregates are resolved with. */
export interface ResolveOptions {
  /** What is routed. */
  readonly services: readonly DescService[];
  /** For aggregates that do not say how long they may take. */
  readonly timeoutMs: number;
}

/** Finds the methods of an aggregate's parts. Never throws: what does not fit yet may fit with the next contract. */
export function resolveAggregate(aggregate: Aggregate, { services, timeoutMs }: ResolveOptions): ResolvedAggregate {
  const byName = new Map(services.map((service) => [service.typeName, service]));
  const resolved = new Map<string, ResolvedPart>();
  const problems: string[] = [];
  const parts = aggregate.parts.map((part): ResolvedPart | UnresolvedPart => {
    try {
      const call = part.resolve({ service: (name) => byName.get(name), part: (name) => resolved.get(name) });
      resolved.set(part.name, { part, call });
      return { part, call };
    } catch (reason) {
      const why = `part "${part.name}": ${messageOf(reason)}`;
      problems.push(why);
      return { part, call: undefined, problem: notReady(aggregate, why) };
    }
  });
  const owner = ownerOf(aggregate, services);
  if (owner !== undefined) problems.push(`GET ${aggregate.path} belongs to ${owner}, which answers instead`);
  return { aggregate, timeoutMs: aggregate.timeoutMs ?? timeoutMs, parts, isHidden: owner !== undefined, problems };
}

function notReady({ path }: Aggregate, why: string): ConnectError {
  return unavailable(`GET ${path} cannot be answered yet: ${why}`, {
    reason: "PART_NOT_READY",
    domain: "heddle",
    retryAfterMs: 1_000,
  });
}

/** The method whose contract has the path. */
function ownerOf({ path }: Aggregate, services: readonly DescService[]): string | undefined {
  const shape = shapeOf(path);
  const bindings = services.flatMap(bindingsOf);
  const owner = bindings.find(({ httpMethod, template }) => httpMethod === "GET" && shapeOf(template.source) === shape);
  return owner && `${owner.method.parent.typeName}/${owner.method.name}`;
}
