import { expect, test } from "vitest";
import { block, frame, requestBlock, type UnderAttack, underAttack, word } from "../testing/http2-frames.ts";
import { Flag, FrameType } from "./frame.ts";

const { data, headers, priority, rstStream, windowUpdate, continuation, pushPromise } = FrameType;
const open = (id: number, flags = 0) => frame(headers, flags | Flag.endHeaders, id, requestBlock);
const cancel = word(8);

/** How a stream 1 of a server gets where it is, and how the connection answers each frame that then arrives on it. */
const roads: Record<string, (end: UnderAttack) => void> = {
  idle: () => {},
  open: ({ send }) => void send(open(1)),
  "half-closed (remote)": ({ send }) => void send(open(1, Flag.endStream)),
  "half-closed (local)": ({ send, connection, told }) => {
    send(open(1));
    connection.sendHeaders(must(told.streams.get(1)), [":status", "200"], true);
    send([]);
  },
  "closed by both": ({ send, connection, told }) => {
    send(open(1, Flag.endStream));
    connection.sendHeaders(must(told.streams.get(1)), [":status", "200"], true);
    send([]);
  },
  "closed by the peer's reset": ({ send }) => void send([open(1), frame(rstStream, 0, 1, cancel)]),
  "closed by our reset": ({ send, connection, told }) => {
    send(open(1));
    connection.resetStream(must(told.streams.get(1)), 8);
    send([]);
  },
  "closed by being skipped": ({ send }) => void send(open(3)),
};

const trailers = frame(headers, Flag.endHeaders | Flag.endStream, 1, block("x", "y"));
const arrivals: Record<string, Buffer> = {
  DATA: frame(data, Flag.endStream, 1, [1]),
  HEADERS: trailers,
  PRIORITY: frame(priority, 0, 1, [0, 0, 0, 0, 1]),
  RST_STREAM: frame(rstStream, 0, 1, cancel),
  WINDOW_UPDATE: frame(windowUpdate, 0, 1, word(1)),
  PUSH_PROMISE: frame(pushPromise, Flag.endHeaders, 1, word(2)),
  CONTINUATION: frame(continuation, Flag.endHeaders, 1, requestBlock),
  unknown: frame(0x77, 0, 1, [1]),
};

const [fine, ignored, gone, protocol] = ["taken", "passed over", "goAway 0 STREAM_CLOSED", "goAway 0 PROTOCOL_ERROR"];
const reset = "rstStream 1 STREAM_CLOSED";
// biome-ignore format: a table, one state a row (RFC 9113 §5.1)
const table: Record<string, readonly string[]> = {
  //                               DATA      HEADERS   PRIORITY RST       WINDOW_U  PUSH      CONT      unknown
  "idle":                         [protocol, "rstStream 1 PROTOCOL_ERROR", ignored, protocol, protocol, protocol, protocol, ignored],
  "open":                         [fine,     fine,     ignored, fine,     ignored,  protocol, protocol, ignored],
  "half-closed (remote)":         [reset,    reset,    ignored, fine,     ignored,  protocol, protocol, ignored],
  "half-closed (local)":          [fine,     fine,     ignored, fine,     ignored,  protocol, protocol, ignored],
  "closed by both":               [gone,     gone,     ignored, ignored,  ignored,  protocol, protocol, ignored],
  "closed by the peer's reset":   [reset,    reset,    ignored, ignored,  ignored,  protocol, protocol, ignored],
  "closed by our reset":          [ignored,  ignored,  ignored, ignored,  ignored,  protocol, protocol, ignored],
  "closed by being skipped":      [protocol, protocol,    ignored, ignored,  ignored,  protocol, protocol, ignored],
};

const cases = Object.entries(table).flatMap(([state, row]) =>
  Object.keys(arrivals).map((name, i) => [name, state, row[i] as string] as const),
);
test.each(cases)("%s on a stream that is %s: %s", (name, state, expected) => {
  const end = underAttack("server");
  must(roads[state])(end);
  end.told.take();
  const answer = end.send(must(arrivals[name])).filter((line) => !line.startsWith("windowUpdate"));
  const told = end.told.take();
  if (expected === fine) expect([answer, told.length > 0]).toEqual([[], true]);
  else if (expected === ignored) expect([answer, told]).toEqual([[], []]);
  else expect(answer).toEqual([expected]);
  expect(end.connection.isOver).toBe(expected.startsWith("goAway"));
});

test("a client takes no stream that a server opens, and no push", () => {
  const answer = block(":status", "200");
  for (const bytes of [
    frame(headers, Flag.endHeaders, 2, answer),
    frame(headers, Flag.endHeaders, 1, answer),
    frame(pushPromise, Flag.endHeaders, 1, word(2)),
  ]) {
    expect(underAttack("client").send(bytes)).toEqual(["goAway 0 PROTOCOL_ERROR"]);
  }
});

test("a body before the response's headers is a mistake of the stream, and of no other", () => {
  const end = underAttack("client");
  const request = [":method", "GET", ":scheme", "http", ":path", "/"];
  end.connection.openStream(request, true);
  end.connection.openStream(request, true);
  end.send([]);
  expect(end.send(frame(data, 0, 1, [1]))).toEqual(["rstStream 1 PROTOCOL_ERROR"]);
  end.send(frame(headers, Flag.endHeaders | Flag.endStream, 3, block(":status", "200")));
  expect(end.told.take().slice(1)).toEqual(["fault 1 PROTOCOL_ERROR", "headers 3 :status,200 end", "closed 3"]);
});

test("memory of reset streams is bounded, and what was forgotten is forgiven", () => {
  const end = underAttack("server", { limits: { closedStreams: 5 } });
  for (let id = 1; id < 100; id += 2) {
    end.send(open(id));
    end.connection.resetStream(must(end.told.streams.get(id)), 8);
  }
  end.send([]);
  expect(end.send(frame(data, 0, 1, [1]))).toEqual([]);
  expect(end.send(frame(data, 0, 99, [1]))).toEqual([]);
  expect(end.connection.isOver).toBe(false);

  const client = underAttack("client", { limits: { closedStreams: 5 } });
  for (let i = 0; i < 50; i++) {
    const stream = client.connection.openStream([":method", "GET", ":scheme", "http", ":path", "/"], true);
    client.connection.resetStream(must(stream), 8);
  }
  client.send([]);
  expect(client.send(frame(headers, Flag.endHeaders, 1, block(":status", "200")))).toEqual([]);
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}
