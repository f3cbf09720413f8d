import { Connection, type ConnectionOptions } from "../http2/connection.ts";
import { errorName } from "../http2/errors.ts";
import type { ConnectionEvents } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";

/** What a connection has told, as lines one can compare; DATA that follows DATA on a stream is one line. */
export class Recorder implements ConnectionEvents {
  readonly lines: string[] = [];
  readonly streams = new Map<number, Stream>();
  /** Called after each event is noted: to answer from within. */
  handlers: Partial<ConnectionEvents> = {};
  readonly #bodies = new Map<number, string>();

  /** The lines since the last time, bodies included. */
  take(): string[] {
    return this.lines.splice(0);
  }

  /** All body bytes of a stream so far, as latin1. */
  body(id: number): string {
    return this.#bodies.get(id) ?? "";
  }

  headers(stream: Stream, fields: readonly string[], endStream: boolean): void {
    this.streams.set(stream.id, stream);
    this.lines.push(`headers ${stream.id} ${fields.join(",")}${endStream ? " end" : ""}`);
    this.handlers.headers?.(stream, fields, endStream);
  }
  informational(stream: Stream, fields: readonly string[]): void {
    this.lines.push(`informational ${stream.id} ${fields.join(",")}`);
  }
  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.#bodies.set(stream.id, this.body(stream.id) + bytes.toString("latin1", start, end));
    this.lines.push(`data ${stream.id} ${end - start}${endStream ? " end" : ""}`);
    this.handlers.data?.(stream, bytes, start, end, endStream);
  }
  trailers(stream: Stream, fields: readonly string[]): void {
    this.lines.push(`trailers ${stream.id} ${fields.join(",")}`);
    this.handlers.trailers?.(stream, fields);
  }
  writable(stream: Stream): void {
    this.lines.push(`writable ${stream.id}`);
    this.handlers.writable?.(stream);
  }
  closed(stream: Stream): void {
    this.lines.push(`closed ${stream.id}`);
  }
  reset(stream: Stream, { code, by, isUnprocessed }: Parameters<ConnectionEvents["reset"]>[1]): void {
    this.lines.push(`reset ${stream.id} ${errorName(code)} by ${by}${isUnprocessed ? " unprocessed" : ""}`);
  }
  output(): void {
    this.handlers.output?.();
  }
  settings(): void {}
  pong(payload: Buffer): void {
    this.lines.push(`pong ${payload.toString("latin1")}`);
  }
  goAway(lastId: number, code: number): void {
    this.lines.push(`goAway ${lastId} ${errorName(code)}`);
  }
  roomForStreams(): void {
    this.lines.push("room");
    this.handlers.roomForStreams?.();
  }
  fault({ streamId, code, limit }: Parameters<ConnectionEvents["fault"]>[0]): void {
    this.lines.push(`fault ${streamId} ${errorName(code)}${limit ? ` ${limit}` : ""}`);
  }
  failed({ code, limit }: Parameters<ConnectionEvents["failed"]>[0]): void {
    this.lines.push(`failed ${errorName(code)}${limit ? ` ${limit}` : ""}`);
  }
}

/** One end: a connection and what it has told. */
export interface Http2End {
  readonly connection: Connection;
  readonly told: Recorder;
}

/** One end of a connection in memory, at time 0. */
export function http2End(role: "client" | "server", options: Partial<ConnectionOptions> = {}): Http2End {
  const told = new Recorder();
  return { connection: new Connection({ role, events: told, nowMs: 0, ...options }), told };
}

/** How bytes travel between two ends: when, and cut where. Whole and at once if not said. */
export interface Travel {
  readonly nowMs?: number;
  cut?(bytes: Buffer): Buffer[];
}

/** Carries what waits from one end to the other; false if there was nothing. */
export function carry(from: Http2End, to: Http2End, { nowMs = 0, cut = (bytes) => [bytes] }: Travel = {}): boolean {
  let any = false;
  for (let bytes = from.connection.take(); bytes !== undefined; bytes = from.connection.take()) {
    any = true;
    for (const piece of cut(bytes)) to.connection.receive(piece, nowMs);
  }
  return any;
}

/** Two ends that have greeted each other. */
export function http2Pair(options: { client?: Partial<ConnectionOptions>; server?: Partial<ConnectionOptions> } = {}) {
  const client = http2End("client", options.client);
  const server = http2End("server", options.server);
  /** Carries both ways until both are silent. */
  const settle = (travel?: Travel) => {
    while (carry(client, server, travel) || carry(server, client, travel));
  };
  settle();
  return { client, server, settle };
}
