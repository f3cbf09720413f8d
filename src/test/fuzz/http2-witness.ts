import { errorName } from "../../http2/errors.ts";
import type { ConnectionEvents } from "../../http2/events.ts";
import type { Settings } from "../../http2/settings.ts";
import type { Stream } from "../../http2/stream.ts";
import { promised } from "./target.ts";

/** What a user of a connection does when it is told something. */
export interface Behaviour<Connection> {
  /** Once, before anything arrives. */
  begin?(connection: Connection): void;
  headers(connection: Connection, stream: Stream, fields: readonly string[], endStream: boolean): void;
  data(connection: Connection, stream: Stream, bytes: Buffer, endStream: boolean): void;
  trailers?(connection: Connection, stream: Stream): void;
  writable?(connection: Connection, stream: Stream): void;
  room?(connection: Connection): void;
}

type Stage = "waiting" | "body" | "ended" | "over";

/**
 * Writes down all that a connection tells, lets a user act on it, and holds the connection to the order that
 * `ConnectionEvents` promises: headers, body, trailers, then one end, and nothing of a stream after that.
 */
export class Witness<Connection> implements ConnectionEvents {
  readonly lines: string[] = [];
  /** Each SETTINGS of the peer, as it was understood. */
  readonly settingsSeen: Settings[] = [];
  connection!: Connection;
  readonly #behaviour: Behaviour<Connection>;
  readonly #stages = new Map<number, Stage>();
  #failed = false;

  constructor(behaviour: Behaviour<Connection>) {
    this.#behaviour = behaviour;
  }

  /** The streams that were told of and have not ended. */
  get unfinished(): number[] {
    return [...this.#stages].filter(([, stage]) => stage !== "over").map(([id]) => id);
  }

  /** The streams that the peer has ended and nothing has closed. */
  get halfClosed(): number[] {
    return [...this.#stages].filter(([, stage]) => stage === "ended").map(([id]) => id);
  }

  headers(stream: Stream, fields: readonly string[], endStream: boolean): void {
    this.#step(stream, "waiting", endStream ? "ended" : "body");
    promised(fields.length % 2 === 0 && fields.length <= 400, "fields come in pairs, and not too many");
    this.lines.push(`headers ${stream.id} ${fields.join("\n")} ${endStream}`);
    this.#behaviour.headers(this.connection, stream, fields, endStream);
  }
  informational(stream: Stream, fields: readonly string[]): void {
    this.#step(stream, "waiting", "waiting");
    this.lines.push(`informational ${stream.id} ${fields.join("\n")}`);
  }
  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.#step(stream, "body", endStream ? "ended" : "body");
    promised(start <= end && end <= bytes.length && (start < end || endStream), "a piece of body is one");
    const piece = Buffer.from(bytes.subarray(start, end));
    this.lines.push(`data ${stream.id} ${piece.toString("latin1")} ${endStream}`);
    this.#behaviour.data(this.connection, stream, piece, endStream);
  }
  trailers(stream: Stream, fields: readonly string[]): void {
    this.#step(stream, "body", "ended");
    this.lines.push(`trailers ${stream.id} ${fields.join("\n")}`);
    this.#behaviour.trailers?.(this.connection, stream);
  }
  writable(stream: Stream): void {
    promised(this.#stages.get(stream.id) !== "over", "nothing is writable after its end");
    this.lines.push(`writable ${stream.id}`);
    this.#behaviour.writable?.(this.connection, stream);
  }
  closed(stream: Stream): void {
    this.#step(stream, "ended", "over");
    this.lines.push(`closed ${stream.id}`);
  }
  reset(stream: Stream, { code, by, reason, isUnprocessed }: Parameters<ConnectionEvents["reset"]>[1]): void {
    promised(this.#stages.get(stream.id) !== "over", `stream ${stream.id} ends once`);
    this.#stages.set(stream.id, "over");
    this.lines.push(`reset ${stream.id} ${errorName(code)} ${by} ${reason} ${isUnprocessed}`);
  }
  output(): void {}
  settings(settings: Settings): void {
    this.settingsSeen.push(settings);
    this.lines.push(`settings ${JSON.stringify(settings)}`);
  }
  pong(payload: Buffer): void {
    promised(payload.length === 8, "a ping has eight bytes");
    this.lines.push(`pong ${payload.toString("hex")}`);
  }
  goAway(lastId: number, code: number, debug: string): void {
    this.lines.push(`goAway ${lastId} ${errorName(code)} ${debug}`);
  }
  roomForStreams(): void {
    this.lines.push("room");
    this.#behaviour.room?.(this.connection);
  }
  fault({ streamId, code, reason }: Parameters<ConnectionEvents["fault"]>[0]): void {
    this.lines.push(`fault ${streamId} ${errorName(code)} ${reason}`);
  }
  failed({ message }: Parameters<ConnectionEvents["failed"]>[0]): void {
    promised(!this.#failed, "a connection fails once");
    this.#failed = true;
    this.lines.push(`failed ${message}`);
  }

  /** Lets go of what was written down, and of streams that are over. */
  forget(): void {
    this.lines.length = this.settingsSeen.length = 0;
    for (const [id, stage] of this.#stages) if (stage === "over") this.#stages.delete(id);
  }

  /** The user has reset the stream itself: nothing more may be told of it. */
  gaveUp(stream: Stream): void {
    this.#stages.set(stream.id, "over");
  }

  #step(stream: Stream, from: Stage, to: Stage): void {
    const stage = this.#stages.get(stream.id) ?? "waiting";
    promised(!this.#failed && stage === from, `stream ${stream.id} is ${stage} when it should be ${from}`);
    this.#stages.set(stream.id, to);
  }
}
