import type { Server as TcpServer } from "node:net";
import { type TlsOptions, Server as TlsServer } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { Watchable } from "../base/watch.ts";
import type { ListenOptions, ServerTls } from "./engine.ts";

/** Time in which peers close the connections that they were asked to leave. */
const lingerMs = 1_000;

/**
 * What HTTP/1.1 clients may take: a head sent by the byte is cut off after 10 s, a body after a minute. Those that keep
 * a connection open longer than their own pause between requests should not lose the race.
 */
export function slowness({ headMs = 10_000, requestMs = 60_000 }: Pick<ListenOptions, "headMs" | "requestMs">) {
  return {
    keepAliveTimeout: 65_000,
    headersTimeout: Math.min(headMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(2_000, headMs, requestMs),
    requireHostHeader: false, // its handler says so, in more words than Node
  };
}

/** Resolves when the server listens; rejects with an error that says what to do. */
export function opened(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

/** Waits until nothing is in flight, for at most `graceMs`; answers how many requests still are. */
export async function settled(inFlight: Watchable<number>, graceMs: number, clock: Clock): Promise<number> {
  if (inFlight.value === 0 || graceMs <= 0) return inFlight.value;
  const grace = new AbortController();
  const timer = clock.setTimer(graceMs, () => grace.abort(), true);
  await inFlight.until((count) => count === 0, grace.signal).catch(() => {}); // the grace period is over
  timer.cancel();
  return inFlight.value;
}

/**
 * Waits until the peers have closed their connections, for a while: GOAWAY asks them to. To close one from here while
 * they still send would reset it, and what they have not read by then is lost: answers, and the GOAWAY itself.
 */
export async function closedByPeers(closed: Promise<void>, clock: Clock): Promise<void> {
  const late = new AbortController();
  await Promise.race([closed, clock.sleep(lingerMs, late.signal).catch(() => {})]); // aborted below
  late.abort();
}

/** Says what to do about the errors that people meet. */
function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: "somebody else listens there: stop it, or choose another port",
    EACCES: "this user may not: choose a port above 1023",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "no such host",
  };
  const why = advice[error.code ?? ""] ?? error.message;
  return Object.assign(new Error(`cannot listen on ${host}:${port}: ${why}`, { cause: error }), { code: error.code });
}

/** Gives a port another proof. Throws where it speaks no TLS. */
export function renew(server: TcpServer, tls: ServerTls): void {
  if (!(server instanceof TlsServer)) throw new Error("the port speaks no TLS: it was opened without a certificate");
  server.setSecureContext(secure(tls));
}

/** A port's proof as Node takes it. */
export function secure({ key, cert, clientCa }: ServerTls): TlsOptions {
  return clientCa === undefined
    ? { key, cert }
    : { key, cert, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}
