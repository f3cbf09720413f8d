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
    const { header, contextValues } = request;
    const caller = noteCaller(header, contextValues?.get(peerKey), trusted);
    if (trusted !== undefined) contextValues?.set(peerKey, caller);
    return inner(request);
  };
}

/** The same for a request of which there are only its header and its peer: answers who the caller is. */
export function noteCaller(
  header: Headers,
  from: string | undefined,
  trusted: AddressSet | undefined,
): string | undefined {
  const peer = plainAddress(from ?? "");
  if (peer !== undefined && trusted?.has(peer)) return believe(header, peer, trusted);
  distrust(header, peer);
  return peer;
}

function distrust(header: Headers, peer: string | undefined): void {
  if (peer === undefined) header.delete(name);
  else header.set(name, peer);
  for (const told of toldByProxies) if (header.has(told)) header.delete(told);
}

function believe(header: Headers, peer: string, trusted: AddressSet): string | undefined {
  const told = header.get(name);
  const hops = told === null ? forwardedFor(header.get("forwarded") ?? "") : told.split(",");
  const chain = [peer];
  for (let i = hops.length - 1; i >= 0 && trusted.has(chain[0] as string); i--) {
    const hop = plainAddress((hops[i] as string).trim());
    if (hop === undefined) break; // "unknown", or a name of the proxy's own
    chain.unshift(hop);
  }
  header.set(name, chain.join(", "));
  return chain[0];
}

/** The addresses of a `Forwarded` header, the first hop first: https://www.rfc-editor.org/rfc/rfc7239#section-4 */
function forwardedFor(value: string): string[] {
  return value.split(",").map((hop) => /(?:^|;)\s*for="?([^";\s]*)"?/i.exec(hop)?.[1] ?? "");
}
