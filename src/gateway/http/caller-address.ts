import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { peerKey } from "../../call/peer.ts";
import { type AddressSet, plainAddress } from "../../wire/addresses.ts";
import type { HttpHandler } from "../../wire/engine.ts";

const name = "x-forwarded-for";

/** What a caller may say of itself only through a proxy that is trusted. */
const toldByProxies = ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip"];

/**
 * Finds where a request comes from: its peer, or if that is a proxy of `trusted`, whoever that says it forwards for, and so
 * on while those are trusted too. What stands before in `X-Forwarded-For`, or `Forwarded`, anybody may have written: it is
 * taken for nothing. The address becomes the request's `peerKey`, and upstream is told the caller and the proxies after it.
 */
export function withCallerAddress(trusted: AddressSet | undefined, inner: HttpHandler): HttpHandler {
  return (request) => {
    const peer = plainAddress(request.contextValues?.get(peerKey) ?? "");
    if (peer !== undefined && trusted?.has(peer)) believe(request, peer, trusted);
    else distrust(request, peer);
    return inner(request);
  };
}

function distrust({ header }: UniversalServerRequest, peer: string | undefined): void {
  if (peer === undefined) header.delete(name);
  else header.set(name, peer);
  for (const told of toldByProxies) if (header.has(told)) header.delete(told);
}

function believe({ header, contextValues }: UniversalServerRequest, peer: string, trusted: AddressSet): void {
  const told = header.get(name);
  const hops = told === null ? forwardedFor(header.get("forwarded") ?? "") : told.split(",");
  const chain = [peer];
  for (let i = hops.length - 1; i >= 0 && trusted.has(chain[0] as string); i--) {
    const hop = plainAddress((hops[i] as string).trim());
    if (hop === undefined) break; // "unknown", or a name of the proxy's own
    chain.unshift(hop);
  }
  contextValues?.set(peerKey, chain[0]);
  header.set(name, chain.join(", "));
}

/** The addresses of a `Forwarded` header, the first hop first: https://www.rfc-editor.org/rfc/rfc7239#section-4 */
function forwardedFor(value: string): string[] {
  return value.split(",").map((hop) => /(?:^|;)\s*for="?([^";\s]*)"?/i.exec(hop)?.[1] ?? "");
}
