import type { Message, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type Transport } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { linkSignals } from "../../base/signals.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import type { Arrived, Given, Part, ResolvedPart } from "./aggregate.ts";
import { Calls, differentRequests, eachAtMost } from "./calls.ts";
import { type Missing, missingValues, shownError, tooMany, withoutNeeded } from "./missing.ts";
import type { ResolvedAggregate, UnresolvedPart } from "./resolved.ts";
import { ArrivedMessages } from "./shown.ts";

/** One request to an aggregate. */
export interface ComposeRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** What each call carries on. */
  readonly header: Headers;
  /** What is known of the request, as its caller's address. */
  readonly values: ContextValues | undefined;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
}

/** What composing stands on. */
export interface ComposeTools {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Is told of requests that could not be made for a reason that no caller is told. */
  readonly log: Logger;
}

/** What has come, and why the rest has not. */
export interface Composed {
  readonly arrived: ReadonlyMap<string, Arrived>;
  readonly missing: readonly Missing[];
}

/** What became of one part. */
interface Outcome {
  readonly arrived: Arrived | undefined;
  readonly missing: readonly Missing[];
}

/**
 * Calls the parts of an aggregate, each as soon as there is what it needs, all under one deadline, and answers with what
 * has come by then. Throws the error of a part that is required, and that of the first part when nothing came at all; the
 * calls that still run then, or when the caller leaves, are cancelled.
 */
export async function compose(
  aggregate: ResolvedAggregate,
  request: ComposeRequest,
  tools: ComposeTools,
): Promise<Composed> {
  const { clock, transport } = tools;
  const { timeoutMs } = aggregate;
  using link = linkSignals(request.signal);
  const timer = clock.setTimer(timeoutMs, () => link.abort(deadlineExceeded(`no answer within ${timeoutMs} ms`)));
  const { header, values } = request;
  const calls = new Calls({
    transport,
    header,
    values,
    signal: link.signal,
    deadlineAt: clock.now() + timeoutMs,
    clock,
  });
  try {
    return await new Composition(aggregate, request, { ...tools, calls }).run();
  } catch (reason) {
    link.abort(reason);
    throw request.signal.aborted ? new ConnectError("the caller is gone", Code.Canceled) : reason;
  } finally {
    timer.cancel();
  }
}

class Composition {
  readonly #aggregate: ResolvedAggregate;
  readonly #request: ComposeRequest;
  readonly #tools: ComposeTools & { readonly calls: Calls };
  readonly #outcomes = new Map<string, Promise<Outcome>>();
  readonly #answers = new Map<string, Arrived>();

  constructor(aggregate: ResolvedAggregate, request: ComposeRequest, tools: ComposeTools & { readonly calls: Calls }) {
    this.#aggregate = aggregate;
    this.#request = request;
    this.#tools = tools;
  }

  async run(): Promise<Composed> {
    const { parts } = this.#aggregate;
    const first = new Map(parts.filter(startsAtOnce).map((each) => [each.part.name, this.#firstRequests(each)]));
    for (const each of parts) this.#outcomes.set(each.part.name, this.#outcomeOf(each, first.get(each.part.name)));
    const outcomes = await Promise.all(this.#outcomes.values());
    this.#request.signal.throwIfAborted();
    const missing = outcomes.flatMap((outcome) => outcome.missing);
    const [why] = missing;
    if (this.#answers.size === 0 && why !== undefined) throw why.error;
    return { arrived: this.#answers, missing };
  }

  #firstRequests({ part, call }: ResolvedPart): readonly Message[] {
    try {
      return call.requests(this.#given);
    } catch (reason) {
      this.#logBug(part, reason);
      throw reason;
    }
  }

  #logBug({ name }: Part, reason: unknown): void {
    if (reason instanceof ConnectError || this.#request.signal.aborted) return;
    this.#tools.log.error("the request of a part failed", {
      path: this.#aggregate.aggregate.path,
      part: name,
      error: reason,
    });
  }

  get #given(): Given {
    const { path, query } = this.#request;
    return { path, query, answers: this.#answers };
  }

  /** Rejects only for a part that is required. */
  async #outcomeOf(each: ResolvedPart | UnresolvedPart, requests?: readonly Message[]): Promise<Outcome> {
    const outcome = await this.#attempt(each, requests);
    const [why] = outcome.missing;
    if (each.part.required && outcome.arrived === undefined && why !== undefined) throw why.error;
    if (outcome.arrived !== undefined) this.#answers.set(each.part.name, outcome.arrived);
    return outcome;
  }

  async #attempt(each: ResolvedPart | UnresolvedPart, begun?: readonly Message[]): Promise<Outcome> {
    const { part } = each;
    if (each.call === undefined) return lacking({ part: part.name, error: each.problem, count: undefined });
    for (const name of part.after) {
      const needed = await this.#outcomes.get(name);
      const [why] = needed?.missing ?? [];
      if (needed?.arrived === undefined && why !== undefined) return lacking(withoutNeeded(part, name, why.error));
    }
    try {
      const requests = begun ?? each.call.requests(this.#given);
      return await (part.many ? this.#askEach(each, requests) : this.#askOne(each, requests));
    } catch (reason) {
      this.#logBug(part, reason);
      return lacking({ part: part.name, error: shownError(reason), count: undefined });
    }
  }

  async #askOne({ call }: ResolvedPart, requests: readonly Message[]): Promise<Outcome> {
    const { calls, registry } = this.#tools;
    const messages = await Promise.all(requests.map((request) => calls.ask(call.method, request)));
    return { arrived: new ArrivedMessages(call.method, messages, registry), missing: [] };
  }

  async #askEach({ part, call }: ResolvedPart, all: readonly Message[]): Promise<Outcome> {
    const { calls, registry } = this.#tools;
    const { maxCalls, maxAtOnce } = part.many ?? { maxCalls: 1, maxAtOnce: 1 };
    const requests = differentRequests(call.method, all);
    const messages: Message[] = [];
    const errors: ConnectError[] = [];
    const asked = requests.slice(0, maxCalls);
    const found = await eachAtMost(asked, maxAtOnce, (request) => calls.ask(call.method, request).catch(shownError));
    for (const each of found) {
      if (each instanceof Error) errors.push(each);
      else messages.push(each);
    }
    const missing = [...missingValues(part, errors)];
    if (requests.length > maxCalls) missing.push(tooMany(part, maxCalls, requests.length));
    const came = messages.length > 0 || requests.length === 0;
    return { arrived: came ? new ArrivedMessages(call.method, messages, registry) : undefined, missing };
  }
}

function startsAtOnce(each: ResolvedPart | UnresolvedPart): each is ResolvedPart {
  return each.call !== undefined && each.part.after.length === 0;
}

function lacking(missing: Missing): Outcome {
  return { arrived: undefined, missing: [missing] };
}
