import { openClientRig, openGatewayRig, openServerRig, type Rig } from "./rig.ts";
import { streamLength } from "./sample.ts";

/** Peers to be compared in one situation. */
export interface Scenario {
  readonly title: string;
  /** What is counted by the second, and how many of it make a call. */
  readonly unit: string;
  readonly unitsPerCall: number;
  readonly peers: readonly string[];
  readonly inFlight: readonly number[];
  open(peer: string): Promise<Rig>;
}

const calls = { unit: "calls/s", unitsPerCall: 1 } as const;
const peers = ["heddle", "node:http2", "grpc-js", "nice-grpc", "connect-node"] as const;
const gateways = ["heddle", "node:http", "node:http + grpc-js", "node:http + connect-node"] as const;
const interceptors = { heddle: 0, "heddle + 1": 1, "heddle + 11": 11 } as const;
const counts = Object.keys(interceptors);
const countOf = (peer: string) => interceptors[peer as keyof typeof interceptors];

/** All that is measured, in the order in which it is told. */
export const scenarios = {
  servers: {
    ...calls,
    title: "Servers, unary GetOrder of 200 bytes",
    peers,
    inFlight: [1, 32, 128],
    open: (peer) => openServerRig(peer, "unary"),
  },
  clients: {
    ...calls,
    title: "Clients, unary GetOrder of 200 bytes",
    peers,
    inFlight: [1, 32, 128],
    open: (peer) => openClientRig(peer),
  },
  streams: {
    title: `Servers, streams of ${streamLength} messages of 200 bytes`,
    unit: "messages/s",
    unitsPerCall: streamLength,
    peers,
    inFlight: [1],
    open: (peer) => openServerRig(peer, "stream"),
  },
  echoes: {
    title: "Servers, unary echo of 1 MiB",
    unit: "MiB/s",
    unitsPerCall: 1,
    peers,
    inFlight: [4],
    open: (peer) => openServerRig(peer, "echo"),
  },
  "server-interceptors": {
    ...calls,
    title: "Server with interceptors that do nothing",
    peers: counts,
    inFlight: [32],
    open: (peer) => openServerRig("heddle", "unary", countOf(peer)),
  },
  "client-interceptors": {
    ...calls,
    title: "Client with interceptors that do nothing",
    peers: counts,
    inFlight: [32],
    open: (peer) => openClientRig("heddle", countOf(peer)),
  },
  "policy-stack": {
    ...calls,
    title: "Client, what stands above the wire; three endpoints",
    peers: ["wire", "wire + Connect", "wire + steps", "heddle", "heddle, all on"],
    inFlight: [32],
    open: (peer) => openClientRig(peer),
  },
  gateways: {
    ...calls,
    title: "Gateways, REST GET /v1/orders/{id}; upstream and load generator share the other CPU",
    peers: gateways,
    inFlight: [32],
    open: (peer) => openGatewayRig(peer, "get"),
  },
  "gateways-post": {
    ...calls,
    title: "Gateways, REST POST /v1/orders of three items; upstream and load generator share the other CPU",
    peers: gateways,
    inFlight: [32],
    open: (peer) => openGatewayRig(peer, "post"),
  },
  "gateways-grpc": {
    ...calls,
    title: "gRPC through the gateway, and without it: unary GetOrder of 200 bytes",
    peers: ["heddle", "heddle's server"],
    inFlight: [32],
    open: (peer) => (peer === "heddle" ? openGatewayRig(peer, "unary") : openServerRig("heddle", "unary")),
  },
} as const satisfies Record<string, Scenario>;

/** One of them. */
export type ScenarioName = keyof typeof scenarios;

/** Their names. */
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];
