import type { Server as Http1Server } from "node:http";
import type { Socket, Server as TcpServer } from "node:net";
import { type TlsOptions, Server as TlsServer } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { Watchable } from "../base/watch.ts";
import type { ServerTls } from "./engine.ts";

/** Time in which peers close the connections that they were asked to leave. */
const lingerMs = 1_000;

/**
 * What HTTP/1.1 clients may take: a head sent by the byte is cut off after 10 s, a body after a minute. Those that keep
 * a connection open longer than their own pause between requests should not lose the race.
 */
export const slowness = {
  keepAliveTimeout: 65_000,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
};

/** What Node itself would answer to a request that it cannot read. */
const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/**
 * Hangs up without a word on whoever begins with a line that is no HTTP: it may have been meant as the preface of
 * HTTP/2, to which an answer in HTTP/1.1 is one more broken frame (RFC 9113 §3.4). Other requests that cannot be read
 * are refused, unless that could end up in the middle of an answer.
 */
export function hangUpOnStrangers(http1: Http1Server): void {
  http1.on("clientError", (error: UnreadableRequest, socket) => {
    const line = /^[^\r\n]*/.exec(error.rawPacket?.toString("latin1") ?? "")?.[0] ?? "";
    const isStranger = error.code === "HPE_INVALID_METHOD" && !/ HTTP\/1/.test(line);
    if (isStranger || !socket.writable || (socket as Socket).bytesWritten > 0) return void socket.destroy();
    const status = refusals[error.code ?? ""] ?? "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
  });
}

/** Node's error, with the bytes that it is about. */
interface UnreadableRequest extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
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
