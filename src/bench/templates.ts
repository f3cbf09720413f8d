import type { Fields } from "../call/fields.ts";
import { headBytes } from "../http2/frame.ts";
import { carry, http2End, http2Pair } from "../testing/http2-pair.ts";
import { type Asked, answerFrame } from "./sample.ts";

/** The frames of one stream, as bytes in which only the stream's id has to be written. */
export interface Template {
  /** For the first stream of a connection: its header fields enter the table there. */
  readonly first: Buffer;
  /** For all that follow: fields are places in the table. */
  readonly next: Buffer;
}

/** The header fields of a call. It says how long it may take, as calls of a mesh do. */
export function requestFields(path: string, port: number): Fields {
  const head = [":method", "POST", ":scheme", "http", ":authority", `127.0.0.1:${port}`, ":path", path];
  const timeout = ["grpc-timeout", path.endsWith("/GetOrder") ? "1000m" : "20S"];
  return Object.freeze([...head, "content-type", "application/grpc+proto", "te", "trailers", ...timeout]);
}

/** What a caller sends for each call. */
export function callTemplate({ path, frame }: Asked, port: number): Template {
  const { connection } = http2End("client");
  const fields = requestFields(path, port);
  connection.take(); // its greeting
  const made = () => {
    const stream = connection.openStream(fields, false);
    if (stream !== undefined) connection.sendData(stream, frame, true);
    return taken(connection.take());
  };
  return { first: made(), next: made() };
}

/** What the constant server answers to each call. */
export function answerTemplate(): Template {
  const { client, server } = http2Pair();
  const head = Object.freeze([":status", "200", "content-type", "application/grpc+proto"]);
  const end = Object.freeze(["grpc-status", "0"]);
  const made = () => {
    const { id = 0 } = client.connection.openStream(requestFields("/", 0), true) ?? {};
    carry(client, server);
    const stream = server.told.streams.get(id);
    if (stream === undefined) throw new Error("the request has got lost");
    server.connection.sendHeaders(stream, head, false);
    server.connection.sendData(stream, answerFrame(), false);
    server.connection.sendTrailers(stream, end);
    return taken(server.connection.take());
  };
  return { first: made(), next: made() };
}

/** Writes the frames for stream `id` at `at` of `out`; returns where they end. */
export function stamp(frames: Buffer, id: number, out: Buffer, at: number): number {
  const end = at + frames.copy(out, at);
  for (let head = at; head < end; head += headBytes + out.readUIntBE(head, 3)) out.writeUInt32BE(id, head + 5);
  return end;
}

function taken(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new Error("nothing was sent");
  return Buffer.from(bytes);
}
