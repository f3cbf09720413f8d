import type { Addresses } from "../../load.ts";
import type { Stage } from "../contract.ts";
import type { Ask, OpenPeer } from "./peer.ts";

/** Clients by their names. Each is loaded by whoever runs it, and the others are not. */
const peers: Readonly<Record<string, () => Promise<{ readonly open: OpenPeer }>>> = {
  heddle: () => import("./heddle.ts"),
  "grpc-js": () => import("./grpc-js.ts"),
  "nice-grpc": () => import("./nice-grpc.ts"),
  "connect-node": () => import("./connect-node.ts"),
};

/** Opens the client of that name. */
export async function openPeer(name: string, service: Stage, addresses: Addresses): Promise<Ask> {
  const load = peers[name];
  if (load === undefined) throw new Error(`which client? one of ${Object.keys(peers).join(", ")}`);
  return (await load()).open(service, addresses);
}
