import type { Usage } from "./answer-parent.ts";
import { Child } from "./child.ts";
import type { Load, Measured } from "./load.ts";
import type { AskName, RestAskName } from "./sample.ts";

/** One stretch of calls, with what it cost the process that is measured. */
export interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the measured process for a call, collector and compiler included. */
  readonly cpuUs: number;
  readonly rssMb: number;
  /** Share of its CPU that all the others used: near 1, it is they who were measured. */
  readonly otherRatio: number;
}

/** A process to be measured, with those that it needs for it. */
export class Rig implements Disposable {
  readonly #measured: Child;
  readonly #others: readonly Child[];
  readonly #loading: Child;

  constructor(measured: Child, others: readonly Child[], loading: Child) {
    this.#measured = measured;
    this.#others = others;
    this.#loading = loading;
  }

  async measure(load: Load): Promise<Round> {
    const before = await this.#usages();
    const measured = await this.#loading.ask<Measured>(load);
    const after = await this.#usages();
    const usedUs = after.map(({ cpuUs }, i) => cpuUs - (before[i]?.cpuUs ?? 0));
    const [ownUs = 0, ...othersUs] = usedUs;
    const { calls, seconds, p50Ms, p99Ms } = measured;
    return {
      perSecond: calls / seconds,
      p50Ms,
      p99Ms,
      cpuUs: ownUs / calls,
      rssMb: (after[0]?.rssBytes ?? 0) / 2 ** 20,
      otherRatio: othersUs.reduce((sum, us) => sum + us, 0) / 1e6 / seconds,
    };
  }

  #usages(): Promise<Usage[]> {
    return Promise.all([this.#measured, ...this.#others].map((child) => child.ask<Usage>("usage")));
  }

  [Symbol.dispose](): void {
    for (const child of [this.#measured, ...this.#others]) child[Symbol.dispose]();
  }
}

/** A server and what loads it with calls of one kind. */
export async function openServerRig(kind: string, asked: AskName, interceptors = 0): Promise<Rig> {
  const server = new Child("measured", "server", kind, String(interceptors));
  const { port } = await server.answer<{ port: number }>();
  const loader = new Child("other", "loader", asked, String(port));
  await loader.answer();
  return new Rig(server, [loader], loader);
}

/** A client and the constant server that it calls. */
export async function openClientRig(kind: string, interceptors = 0): Promise<Rig> {
  const server = new Child("other", "constant");
  const { ports } = await server.answer<{ ports: readonly number[] }>();
  const client = new Child("measured", "client", kind, ports.join(","), String(interceptors));
  await client.answer();
  return new Rig(client, [server], client);
}

/** A gateway, what it stands before, and what loads it: with requests over HTTP/1.1, or with calls over gRPC. */
export async function openGatewayRig(kind: string, asked: RestAskName | AskName): Promise<Rig> {
  const behind = new Child("other", "upstream");
  const { upstream, discovery } = await behind.answer<{ upstream: string; discovery: string }>();
  const gateway = new Child("measured", "gateway", kind, upstream, discovery);
  const { port } = await gateway.answer<{ port: number }>();
  const loader = new Child("other", "loader", asked, String(port));
  await loader.answer();
  return new Rig(gateway, [behind, loader], loader);
}
