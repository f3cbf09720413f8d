import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SessionOptions } from "./engine.ts";

/** A socket on its way to "host:port", over TLS if there are options for it. A host's name is told to the server. */
export function socketTo(address: string, tls: SessionOptions["tls"]): Socket {
  const { hostname, port } = new URL(`tcp://${address}`); // of a scheme without a port of its own, which would get lost
  const host = hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(port || (tls ? 443 : 80)), noDelay: true };
  if (tls === undefined) return connectTcp(to);
  const { serverName = isIP(host) ? undefined : host, ...proof } = tls;
  return connectTls({ ...to, ...proof, ALPNProtocols: ["h2"], ...(serverName && { servername: serverName }) });
}
