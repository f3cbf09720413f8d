import { ErrorCode } from "../../http2/errors.ts";
import type { Stream } from "../../http2/stream.ts";
import type { UsedConnection, User } from "./http2-user.ts";

const ok = Object.freeze([":status", "200", "content-type", "application/grpc"]);
const done = ["grpc-status", "0"];
const large = Buffer.alloc(100_000, "large");

/** What a server does with a request, by its path; a path that is none of these takes one by its length. */
const services: Readonly<Record<string, User>> = {
  "/echo": {
    headers(connection, stream, fields, endStream) {
      connection.sendHeaders(
        stream,
        ok,
        false,
        fields.slice(-2).map((text) => (text.startsWith(":") ? "x-last" : text)),
      );
      if (endStream) connection.sendTrailers(stream, done);
    },
    data(connection, stream, bytes, endStream) {
      connection.sendData(stream, bytes, false);
      connection.consumed(stream, bytes.length);
      if (endStream) connection.sendTrailers(stream, done);
    },
    trailers: (connection, stream) => connection.sendTrailers(stream, done),
  },
  "/large": {
    headers(connection, stream) {
      connection.sendHeaders(stream, ok, false);
      connection.sendData(stream, large, false);
    },
    data: (connection, stream, bytes) => connection.consumed(stream, bytes.length),
    writable: (connection, stream) => connection.sendTrailers(stream, done),
  },
  "/hold": { headers() {}, data() {} },
  "/reset": {
    headers: (connection, stream, _fields, endStream) => endStream && connection.giveUp(stream, ErrorCode.cancel),
    data: (connection, stream) => connection.giveUp(stream, ErrorCode.internalError),
  },
  "/early": {
    headers: (connection, stream) => connection.sendHeaders(stream, [":status", "404"], true),
    data(connection, stream, bytes, endStream) {
      connection.sendData(stream, bytes, true); // after the end: does nothing
      connection.sendTrailers(stream, done);
      if (endStream) connection.consumed(stream, bytes.length);
    },
  },
  "/leave": {
    headers(connection, stream) {
      connection.drain();
      connection.sendHeaders(stream, [":status", "103"], false);
    },
    data(connection, stream, _bytes, endStream) {
      connection.goAway();
      if (endStream) connection.sendHeaders(stream, ok, true);
    },
  },
  "/settings": {
    headers(connection, stream) {
      connection.updateSettings({ initialWindowBytes: 2_000, headerTableBytes: 100 });
      connection.sendHeaders(stream, ok, true);
      connection.ping(Buffer.from("whatever"));
    },
    data: (connection, stream, bytes) => connection.consumed(stream, bytes.length * 2),
  },
  "/close": { headers() {}, data: (connection) => connection.close() },
};
const all = Object.values(services);

/** A server whose streams each do what their path says. */
export function server(): User {
  const of = (stream: Stream) => stream.owner as User;
  return {
    headers(connection, stream, fields, endStream) {
      const path = fields[fields.indexOf(":path") + 1] ?? "";
      const service = services[path] ?? (all[path.length % all.length] as User);
      stream.owner = service;
      service.headers(connection, stream, fields, endStream);
    },
    data: (connection, stream, bytes, endStream) => of(stream).data(connection, stream, bytes, endStream),
    trailers: (connection, stream) => of(stream).trailers?.(connection, stream),
    writable: (connection, stream) => of(stream).writable?.(connection, stream),
  };
}

/** A value that does not fit one frame. */
const long = "long".repeat(5_000);
/** Most streams that a client opens. */
const maxStreams = 30;

/** A client that has asked for six things at once, and asks again whenever one has been answered. */
export function client(): User {
  let opened = 6;
  const ask = (
    connection: UsedConnection,
    method: string,
    path: string,
    body?: Buffer,
    ends = true,
  ): Stream | undefined => {
    const fields = [":method", method, ":scheme", "http", ":path", path, ":authority", "here"];
    const more = path === "/again" && opened === 8 ? ["x-long", long] : ["te", "trailers"];
    const stream = connection.openStream(fields, body === undefined && ends, more);
    if (stream !== undefined && body !== undefined) connection.sendData(stream, body, ends);
    return stream;
  };
  const again = (connection: UsedConnection) => {
    if (opened++ < maxStreams) ask(connection, "POST", "/again", Buffer.from("again"));
  };
  return {
    begin(connection) {
      ask(connection, "GET", "/");
      ask(connection, "POST", "/small", Buffer.from("small"));
      ask(connection, "HEAD", "/head");
      ask(connection, "POST", "/large", large);
      ask(connection, "POST", "/open", Buffer.from("open"), false);
      ask(connection, "POST", "/trailers", large.subarray(0, 70_000), false);
    },
    headers: (connection, _stream, _fields, endStream) => endStream && again(connection),
    data(connection, stream, bytes, endStream) {
      if (stream.id % 4 === 1) connection.consumed(stream, bytes.length);
      if (stream.id === 9) connection.giveUp(stream, ErrorCode.cancel);
      if (endStream) again(connection);
    },
    trailers: again,
    writable: (connection, stream) => connection.sendTrailers(stream, ["x-end", "yes"]),
    room: again,
  };
}
