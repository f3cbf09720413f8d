import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Random } from "../base/random.ts";
import { runDetached } from "../call/context.ts";
import { deadlineExceeded } from "../call/errors.ts";
import { headers } from "../call/headers.ts";
import { type LoadReport, parseLoadReport } from "../call/load-report.ts";
import { TimedLifetime } from "../call/timed-lifetime.ts";
import type { Session } from "../wire/engine.ts";
import { UnaryAnswer } from "../wire/grpc/unary-answer.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { Load } from "./balance/load.ts";
import type { EndpointReports } from "./balance/load-report.ts";
import type { Candidate } from "./balance/picker.ts";
import { slowStartRatio } from "./balance/slow-start.ts";
import { LoadWatch } from "./load-watch.ts";
import { Circuit } from "./policy/circuit.ts";
import type { Endpoint } from "./resolve/resolver.ts";
import { targetOf } from "./resolve/static.ts";
import type { Route } from "./route.ts";

/** What places are made of. */
export interface PlaceParts {
  /** The service's full name, as health checks ask for it. */
  readonly service: string;
  readonly sessions: SessionPool;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
  /** What it reports of its own load. */
  readonly reports: EndpointReports;
  /** How long a newcomer takes to its full share, in milliseconds. */
  readonly slowStartMs: number;
  /** How often it is to report its load beside its answers, in milliseconds; `undefined`, never. */
  readonly reportIntervalMs: number | undefined;
  /** What to expect of an endpoint of which nothing is known, in milliseconds. */
  readonly expectedMs: number | undefined;
  /** Whether one more of the service's endpoints may be left alone by this route. */
  readonly mayEject: (route: Route) => boolean;
  /** Told when the endpoint can be connected to again, or cannot any more. */
  readonly onReachable: () => void;
}

/** Time that a health call may take. */
const healthCallMs = 1_000;

/** One endpoint with what this client knows of it: how busy and slow it is, and which of its methods are left alone. */
export class Place implements Candidate, Disposable {
  /** As it was last told of: its share, zone and version may change while it goes on being the same. */
  endpoint: Endpoint;
  readonly load: Load;
  readonly #parts: PlaceParts;
  readonly #seenAt: number;
  readonly #session: Session;
  readonly #unfollow: () => void;
  #wasReachable: boolean;
  /** The last report, and how it was written. */
  #told: string | undefined;
  #report: LoadReport | undefined;
  readonly #circuits = new Map<Route, Circuit>();
  readonly #timers = new Map<Circuit, Timer>();
  #probe: TimedLifetime | undefined;
  readonly #watch: LoadWatch | undefined;
  #isGone = false;

  constructor(endpoint: Endpoint, parts: PlaceParts) {
    const now = parts.clock.now();
    this.endpoint = endpoint;
    this.load = new Load(now, parts.expectedMs);
    this.#seenAt = now;
    this.#parts = parts;
    this.#session = parts.sessions.retain(targetOf(endpoint));
    this.#wasReachable = this.isReachable;
    this.#unfollow = this.#session.onChange(() => this.#reached());
    if (parts.reportIntervalMs !== undefined) this.#watch = this.#watched(parts.reportIntervalMs);
  }

  /** What it reports of its own load. */
  get reports(): EndpointReports {
    return this.#parts.reports;
  }

  get inFlight(): number {
    return this.load.inFlight;
  }

  cost(now: number): number {
    return this.load.cost(now);
  }

  share(now: number): number {
    const { reports, slowStartMs } = this.#parts;
    return (this.endpoint.weight / 100) * slowStartRatio(this.#seenAt, now, slowStartMs) * reports.ratio(now);
  }

  /** Takes in what the endpoint says of its own load behind an answer; it says the same for a second. */
  learn(answer: UnaryResponse | StreamResponse, now: number): void {
    const told = answer instanceof UnaryAnswer ? answer.trailerField(headers.loadMetrics) : toldIn(answer.trailer);
    if (told === undefined) return;
    if (told !== this.#told) this.#report = parseLoadReport(told);
    this.#told = told;
    if (this.#report !== undefined) this.#parts.reports.take(this.#report, now);
  }

  /** The circuit of one method here; made when the method is first sent here. */
  circuit(route: Route): Circuit {
    const known = this.#circuits.get(route);
    if (known !== undefined) return known;
    const { random, mayEject } = this.#parts;
    const circuit: Circuit = new Circuit(route.policy.breaker, {
      random,
      mayOpen: () => mayEject(route),
      onChange: () => this.#changed(circuit, route),
    });
    this.#circuits.set(route, circuit);
    return circuit;
  }

  /** Whether the route's next attempt is to try it: its time is up, and it says that it is well. */
  isOnTrial(route: Route): boolean {
    return this.#circuits.get(route)?.state === "half-open";
  }

  /** Whether the route's attempts may go here. */
  isAdmitting(route: Route, now: number): boolean {
    return this.#circuits.get(route)?.isAdmitting(now) ?? true;
  }

  /** Why the route's attempts do not go here, for people; `undefined` where they may. */
  whyNot(route: Route, now: number): string | undefined {
    if (!this.isReachable) return "to which connecting has just failed";
    const circuit = this.#circuits.get(route);
    if (circuit === undefined || circuit.isAdmitting(now)) return undefined;
    return `whose circuit is ${circuit.state} (${circuit.why})`;
  }

  /** Whether it can be connected to: it is not just being left alone because that failed. */
  get isReachable(): boolean {
    return this.#session.state !== "backoff";
  }

  [Symbol.dispose](): void {
    this.#isGone = true;
    this.#unfollow();
    this.#watch?.[Symbol.dispose]();
    this.#parts.sessions.release(targetOf(this.endpoint));
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#probe?.cancel(new Error("the endpoint is gone"));
  }

  /** Detached: it goes on long after the call that happened to be the first to come here. */
  #watched(intervalMs: number): LoadWatch {
    const { clock, random, reports } = this.#parts;
    const take = (report: LoadReport) => reports.take(report, clock.now());
    return runDetached(() => new LoadWatch({ session: this.#session, intervalMs, take, clock, random }));
  }

  #reached(): void {
    if (this.#wasReachable === this.isReachable) return;
    this.#wasReachable = this.isReachable;
    this.#parts.onReachable();
  }

  /** Keeps the picks of the route right, and the circuit on its way; not of one that is gone, whose last attempts end now. */
  #changed(circuit: Circuit, route: Route): void {
    if (this.#isGone) return;
    const { clock } = this.#parts;
    route.candidatesChanged();
    this.#timers.get(circuit)?.cancel();
    const dueInMs = circuit.dueInMs(clock.now());
    if (dueInMs === undefined) this.#timers.delete(circuit);
    else
      this.#timers.set(
        circuit,
        clock.setTimer(dueInMs, () => circuit.tick(clock.now())),
      );
    if (circuit.state === "closed") this.load.forgive();
    if (circuit.state === "probing" && this.#probe === undefined) void this.#probeHealth();
  }

  /** Asks the endpoint whether it serves, at nobody's cost but our own, for all circuits that wait for that. */
  async #probeHealth(): Promise<void> {
    const { clock, deadlines } = this.#parts;
    const probe = new TimedLifetime(() => deadlineExceeded(`no answer to a health call in ${healthCallMs} ms`));
    this.#probe = probe;
    probe.endBy(clock.now() + healthCallMs, deadlines);
    const isWell = await this.#asksHealth(probe);
    probe.end();
    this.#probe = undefined;
    for (const circuit of this.#circuits.values()) circuit.probed(isWell, clock.now());
  }

  /** One that does not know the question is there, and that is all that was asked. */
  async #asksHealth(lifetime: TimedLifetime): Promise<boolean> {
    const { service } = this.#parts;
    const { check: method } = Health.method;
    const message = create(HealthCheckRequestSchema, { service });
    try {
      const asked = { method, message, fields: [], timeoutMs: healthCallMs, lifetime };
      const { message: answer } = await this.#session.send(asked);
      return (answer as HealthCheckResponse).status === Status.SERVING;
    } catch (reason) {
      const { code } = ConnectError.from(reason);
      return code === Code.Unimplemented || code === Code.NotFound;
    }
  }
}

function toldIn(trailer: Headers): string | undefined {
  return trailer.get(headers.loadMetrics) ?? undefined;
}
