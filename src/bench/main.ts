/** `make bench`: Heddle beside its peers in one run, alternating, medians of several rounds. Trust the ratios. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Child, type Usage } from "./child.ts";
import type { Load, Measured } from "./load.ts";
import { median, textTable } from "./report.ts";

const peers = ["heddle", "grpc-js", "connect-node", "node:http2"] as const;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    calls: { type: "string", default: "4000" },
    "in-flight": { type: "string", default: "32" },
  },
});
const rounds = Number(values.rounds);
const load: Load = { calls: Number(values.calls), inFlight: Number(values["in-flight"]) };
if (![rounds, load.calls, load.inFlight].every((n) => Number.isInteger(n) && n > 0)) {
  throw new Error("--rounds, --calls and --in-flight have to be whole numbers above 0");
}

/** One round of a client against a server, each in a process of its own, after a warm-up of as many calls. */
interface Round extends Measured {
  readonly serverCpuUs: number;
  readonly clientCpuUs: number;
  readonly serverRssMb: number;
  readonly clientRssMb: number;
}

async function round(serverKind: string, clientKind: string): Promise<Round> {
  using server = new Child("servers.ts", [serverKind]);
  const { port } = await server.answer<{ port: number }>();
  using client = new Child("clients.ts", [clientKind, String(port)]);
  await client.answer();
  await client.ask<Measured>(load);
  const before = await Promise.all([server.ask<Usage>("usage"), client.ask<Usage>("usage")]);
  const measured = await client.ask<Measured>(load);
  const after = await Promise.all([server.ask<Usage>("usage"), client.ask<Usage>("usage")]);
  return {
    ...measured,
    serverCpuUs: (after[0].cpuUs - before[0].cpuUs) / load.calls,
    clientCpuUs: (after[1].cpuUs - before[1].cpuUs) / load.calls,
    serverRssMb: after[0].rssBytes / 2 ** 20,
    clientRssMb: after[1].rssBytes / 2 ** 20,
  };
}

/** Every peer in turn, round after round, so that a slow minute of the machine hits all of them. */
async function compare(title: string, pairOf: (peer: string) => readonly [string, string], side: "server" | "client") {
  const seen = new Map<string, Round[]>(peers.map((peer) => [peer, []]));
  for (let turn = 1; turn <= rounds; turn++) {
    for (const peer of peers) seen.get(peer)?.push(await round(...pairOf(peer)));
    process.stderr.write(`${title}: round ${turn} of ${rounds}\n`);
  }
  const of = (peer: string, figure: keyof Round) => median((seen.get(peer) ?? []).map((one) => one[figure]));
  const rows = peers.map((peer) => [
    peer,
    of(peer, `${side}CpuUs`).toFixed(1),
    (of(peer, `${side}CpuUs`) / of("heddle", `${side}CpuUs`)).toFixed(2),
    of(peer, "callsPerSecond").toFixed(0),
    of(peer, "p50Ms").toFixed(2),
    of(peer, "p99Ms").toFixed(2),
    of(peer, `${side}RssMb`).toFixed(0),
  ]);
  const header = [title, "CPU us/call", "÷ heddle", "calls/s", "p50 ms", "p99 ms", "RSS MB"];
  process.stdout.write(`\n${textTable(header, rows)}\n`);
}

const machine = `Node ${process.versions.node}, ${availableParallelism()} CPUs`;
process.stdout.write(
  `Unary GetOrder, ${load.inFlight} in flight on one connection, medians of ${rounds} rounds; ${machine}\n`,
);
await compare("server", (peer) => [peer, "node:http2"], "server");
await compare("client", (peer) => ["node:http2", peer], "client");
