import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";

/** RFC 9113 §3.4: a client that speaks HTTP/2 begins with these bytes; no HTTP/1.1 method begins with "PRI". */
const preface = Buffer.from("PRI");

/** A connection on which nobody speaks is closed after this long. */
const firstBytesMs = 10_000;

/**
 * Learns from a connection's first bytes which HTTP it speaks, puts them back, and hands the connection on.
 * A connection that breaks or stays silent first is closed and never handed on.
 */
export function sniff(socket: Socket, clock: Clock, handOn: (version: 1 | 2) => void): void {
  const timer = clock.setTimer(firstBytesMs, () => socket.destroy());
  const forget = () => timer.cancel();
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, preface.length);
    const matches = seen.subarray(0, compared).equals(preface.subarray(0, compared));
    if (matches && compared < preface.length) return; // "P" may yet become POST
    forget();
    socket.off("data", onData);
    socket.off("error", forget);
    socket.off("close", forget);
    socket.pause();
    socket.unshift(seen);
    handOn(matches ? 2 : 1);
    if (!matches) socket.resume();
  };
  socket.on("data", onData);
  socket.on("error", forget);
  socket.on("close", forget);
}
