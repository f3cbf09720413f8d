import type { Connection } from "../../http2/connection.ts";
import { Flag, FrameType, preface } from "../../http2/frame.ts";
import type { Limits } from "../../http2/limits.ts";
import { plainFrames, splitFrames, twistFrame } from "./http2-bytes.ts";
import { judge, type Sent } from "./http2-judge.ts";
import { UsedConnection } from "./http2-user.ts";
import { client, server } from "./http2-users.ts";
import { Witness } from "./http2-witness.ts";
import { promiseCutsDoNotMatter, shredded } from "./pieces.ts";
import { promised, type Target } from "./target.ts";

/** Small enough that short inputs reach them. */
export const tightLimits: Partial<Limits> = {
  ...{ concurrentStreams: 8, headerListBytes: 2_000, headerCount: 24, continuationFrames: 4, closedStreams: 6 },
  ...{ queuedBytes: 250_000, outputBytes: 20_000, streamWindowBytes: 60_000, connectionWindowBytes: 120_000 },
  streamsOpened: { burst: 40, perSecond: 10 },
  resetsReceived: { burst: 10, perSecond: 5 },
  resetsForced: { burst: 10, perSecond: 5 },
  pings: { burst: 20, perSecond: 5 },
  settings: { burst: 10, perSecond: 5 },
  emptyFrames: { burst: 10, perSecond: 5 },
  windowUpdates: { burst: 50, perSecond: 5 },
};
type Role = "client" | "server";

/** A connection with tight limits, and a user that acts on what it is told. */
export function opened(role: Role): { connection: UsedConnection; witness: Witness<UsedConnection> } {
  const behaviour = role === "client" ? client() : server();
  const witness = new Witness<UsedConnection>(behaviour);
  const connection = new UsedConnection({ role, nowMs: 0, limits: tightLimits, initialWindowBytes: 8_000 }, witness);
  witness.connection = connection;
  behaviour.begin?.(connection);
  return { connection, witness };
}

/** What a connection tells and sends when the pieces arrive one after the other and nobody reads in between. */
export function tale(role: Role): (pieces: readonly Buffer[]) => { lines: string[]; output: string } {
  return (pieces) => {
    const { connection, witness } = opened(role);
    for (const piece of pieces) {
      const lent = Buffer.from(piece);
      connection.receive(lent, 0);
      lent.fill(0xa5); // it is the giver's again
    }
    const output = taken(connection);
    judge(sentBy(role, witness, { input: Buffer.concat(pieces), output }));
    promiseRates(output.subarray(role === "client" ? preface.length : 0));
    end(connection, witness);
    return { lines: witness.lines, output: output.toString("latin1") };
  };
}

/** Throws if more was answered, without any time going by, than may be asked for at once. */
function promiseRates(output: Buffer): void {
  const answers = plainFrames(output).filter(({ flags }) => flags & Flag.ack);
  const count = (of: number) => answers.filter(({ type }) => type === of).length;
  promised(
    count(FrameType.ping) <= 20 && count(FrameType.settings) <= 10,
    "what is asked too often ends the connection",
  );
}

function sentBy(role: Role, witness: Witness<UsedConnection>, bytes: { input: Buffer; output: Buffer }): Sent {
  return { ...bytes, settingsSeen: witness.settingsSeen, isClient: role === "client", halfClosed: witness.halfClosed };
}

/** The same bytes while time goes by and a socket takes what there is, piece by piece. */
function live(role: Role, bytes: Buffer): void {
  const { connection, witness } = opened(role);
  const output: Buffer[] = [];
  let nowMs = 0;
  for (const piece of shredded(bytes)) {
    connection.receive(piece, nowMs);
    nowMs += 1 + (piece.length % 50);
    output.push(taken(connection));
    connection.tick(nowMs);
    promised(connection.streamCount <= 8 + 30, `${connection.streamCount} streams`);
  }
  output.push(taken(connection));
  judge(sentBy(role, witness, { input: bytes, output: Buffer.concat(output) }));
  connection.tick(nowMs + 1e9);
  connection.tick(nowMs + 2e9);
  output.push(taken(connection));
  end(connection, witness);
}

/** The whole connection: it ends in the documented way or goes on, and is right in all it says while it lasts. */
function target(role: Role): Target {
  const name = `http2-${role}`;
  return {
    ...{ name, corpus: name, split: splitFrames, twist: twistFrame },
    run(bytes, note) {
      const { connection, witness } = opened(role);
      connection.receive(bytes, 0);
      for (const line of witness.lines) note(signOf(line));
      promiseCutsDoNotMatter(bytes, shredded(bytes), tale(role));
      live(role, bytes);
    },
  };
}

/** A server, and whatever a client may send it. */
export const http2Server = target("server");
/** A client that has asked, and whatever a server may answer. */
export const http2Client = target("client");

/** What kind of thing was told, without what differs from stream to stream. */
function signOf(line: string): string {
  const [kind = "", , ...rest] = line.split(" ");
  return kind === "fault" || kind === "failed" ? `${kind} ${rest.join(" ").replace(/".*"|:\S+|\d+/gs, "#")}` : kind;
}

function taken(connection: Connection): Buffer {
  const pieces: Buffer[] = [];
  for (let bytes = connection.take(); bytes !== undefined; bytes = connection.take()) pieces.push(Buffer.from(bytes));
  promised(connection.take() === undefined, "what was taken is gone");
  return Buffer.concat(pieces);
}

function end(connection: Connection, witness: Witness<UsedConnection>): void {
  connection.close();
  promised(connection.isOver && connection.streamCount === 0, "what is closed has no streams");
  promised(witness.unfinished.length === 0, `streams ${witness.unfinished} never ended`);
  connection.receive(Buffer.from("more"), 3e9);
  connection.tick(4e9);
  promised(connection.take() === undefined, "what is closed is silent");
}
