/** Writes the examples that are made by hand, one for each thing worth starting from: `node src/test/fuzz/compose.ts`. */
import { Flag, FrameType, preface } from "../../http2/frame.ts";
import { block as blockOf, frame, word } from "../../testing/http2-frames.ts";
import { keep } from "./corpus.ts";
import { block } from "./hpack.ts";

const settings = (...pairs: number[]) =>
  frame(FrameType.settings, 0, 0, Buffer.concat(pairs.map((value, i) => word(value).subarray(i % 2 === 0 ? 2 : 0))));
const greeting = [settings(), frame(FrameType.settings, Flag.ack, 0)];
const request = (path: string, ...more: string[]) =>
  blockOf(":method", "POST", ":scheme", "http", ":path", path, ":authority", "here", ...more);
const headers = (id: number, bytes: Buffer, flags = 0) => frame(FrameType.headers, Flag.endHeaders | flags, id, bytes);
const data = (id: number, text: string, flags = 0) => frame(FrameType.data, flags, id, Buffer.from(text));
const update = (id: number, increment: number) => frame(FrameType.windowUpdate, 0, id, word(increment));
const reset = (id: number) => frame(FrameType.rstStream, 0, id, word(8));
const ping = frame(FrameType.ping, 0, 0, Buffer.from("12345678"));
const goAway = (lastId: number) =>
  frame(FrameType.goAway, 0, 0, Buffer.concat([word(lastId), word(0), Buffer.from("bye")]));
const each = <T>(count: number, make: (i: number) => T[]): T[] =>
  Array.from({ length: count }, (_, i) => make(i)).flat();
const [start, rest] = [request("/echo").subarray(0, 4), request("/echo").subarray(4)];

/** What a client may send: each of the server's services, and each frame. */
const toServer: Record<string, Buffer[]> = {
  ...Object.fromEntries(
    ["echo", "large", "hold", "reset", "early", "leave", "settings", "close"].map((path) => [
      `service-${path}`,
      [headers(1, request(`/${path}`)), data(1, "some"), data(1, "more", 1), headers(3, request(`/${path}`), 1)],
    ]),
  ),
  "window-opens-bit-by-bit": [
    headers(1, request("/large"), 1),
    ...each(6, (i) => [update(1, 4_000 * i + 1), update(0, 9_000)]),
  ],
  "initial-window-shrinks-and-grows": [
    headers(1, request("/large"), 1),
    settings(4, 10),
    settings(4, 90_000),
    update(0, 90_000),
  ],
  "continuation-and-padding": [
    frame(
      FrameType.headers,
      Flag.padded | Flag.priority,
      1,
      Buffer.concat([Buffer.from([2]), word(0), Buffer.from([9]), start, Buffer.alloc(2)]),
    ),
    frame(FrameType.continuation, 0, 1),
    frame(FrameType.continuation, Flag.endHeaders, 1, rest),
    frame(FrameType.data, Flag.padded | Flag.endStream, 1, Buffer.from("\x03body\0\0\0", "latin1")),
  ],
  "trailers-and-length": [
    headers(1, request("/echo", "content-length", "4")),
    data(1, "four"),
    headers(1, blockOf("x-end", "yes"), 1),
  ],
  "table-size-changes": [
    settings(1, 0),
    headers(1, request("/echo"), 1),
    settings(1, 4_096),
    headers(3, request("/echo"), 1),
    settings(1, 60),
    headers(5, request("/echo"), 1),
  ],
  "echo-between-pings": [
    headers(1, request("/echo")),
    data(1, "one"),
    ping,
    data(1, "two"),
    update(0, 5),
    data(1, "three", 1),
  ],
  "rapid-reset": each(12, (i) => [headers(2 * i + 1, request("/echo")), reset(2 * i + 1)]),
  "too-many-streams": each(10, (i) => [headers(2 * i + 1, request("/hold"))]),
  "control-frames": [
    ping,
    frame(FrameType.priority, 0, 3, [0, 0, 0, 1, 7]),
    frame(0xbe, 0xff, 7, Buffer.from("new")),
    settings(3, 5, 5, 20_000, 6, 900),
    goAway(0),
  ],
  "made-you-reset": each(12, (i) => [headers(2 * i + 1, request("/hold")), update(2 * i + 1, 0)]),
  "header-list-too-long": [
    headers(1, request("/echo", ...each(12, (i) => [`x-${i}`, "v".repeat(200)])), 1),
    headers(3, request("/echo"), 1),
  ],
  "skipped-and-old-ids": [headers(7, request("/echo")), headers(3, request("/echo")), data(5, "x"), reset(9)],
  "floods-of-nothing": [
    ...each(6, () => [settings(), ping]),
    headers(1, request("/hold")),
    ...each(12, () => [data(1, "")]),
  ],
};

const ok = (...more: string[]) => blockOf(":status", "200", "content-type", "application/grpc", ...more);
const end = (id: number) => headers(id, blockOf("grpc-status", "0"), 1);

/** What a server may answer: the client has asked on 1, 3, 5 (HEAD), 7 (much), 9 (held open) and 11 (trailers). */
const toClient: Record<string, Buffer[]> = {
  "answers-in-any-order": [
    headers(3, ok()),
    headers(1, ok()),
    data(1, "one"),
    end(3),
    data(1, "two", 1),
    headers(5, ok("content-length", "9"), 1),
  ],
  "trailers-only-and-empty": [
    headers(1, ok("grpc-status", "5"), 1),
    headers(3, ok("content-length", "0")),
    data(3, "", 1),
  ],
  "hints-and-early-answer": [
    headers(7, blockOf(":status", "103", "link", "</a>")),
    headers(7, blockOf(":status", "100")),
    headers(7, ok()),
    data(7, "no", 1),
    reset(7),
  ],
  "window-opens-for-bodies": [
    update(0, 200_000),
    update(7, 50_000),
    update(11, 10_000),
    headers(7, ok()),
    update(7, 1),
    update(11, 50_000),
    end(7),
  ],
  "goes-away-in-two-steps": [goAway(2 ** 31 - 1), headers(1, ok()), goAway(3), end(1), headers(3, ok(), 1)],
  "refuses-and-resets": [
    frame(FrameType.rstStream, 0, 1, word(7)),
    reset(3),
    reset(9),
    headers(9, ok()),
    data(9, "late"),
  ],
  "few-streams-then-more": [
    settings(3, 2),
    headers(1, ok(), 1),
    headers(3, ok(), 1),
    settings(3, 100),
    headers(5, ok(), 1),
  ],
  "pushes-although-refused": [
    frame(FrameType.pushPromise, Flag.endHeaders, 1, Buffer.concat([word(2), request("/pushed")])),
  ],
  "body-beyond-the-window": [headers(3, ok()), ...each(9, () => [data(3, "m".repeat(1_000))]), data(3, "", 1)],
  "answer-without-status": [
    headers(1, blockOf("content-type", "x"), 1),
    headers(3, blockOf(":status", "20"), 1),
    data(5, "before"),
  ],
  "tables-of-both": [
    settings(1, 0, 6, 80),
    headers(1, ok("x-a", "1")),
    headers(3, ok("x-a", "1")),
    settings(1, 200),
    end(1),
    end(3),
  ],
};

const blocks: Record<string, string[]> = {
  "rfc7541-requests": [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
  ],
  "rfc7541-responses-in-a-small-table": [
    "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
  ],
  "literals-of-each-kind": ["0001610162", "1001630164", "4001650166", "00000100", "040c2f73616d706c652f70617468"],
  "table-emptied-and-filled": ["20", "3fe11f400161017a", "be", "203fe11f", "400162017a400163017abfbe"],
  "list-above-its-limits": [`400161 3f ${"62".repeat(63)} ${"be".repeat(60)}`.replaceAll(" ", ""), "be"],
  "integers-of-many-bytes": ["1f8a80000178", "7f8080808001", "ff8000", "0f2f0161"],
};
const codes: Record<string, string> = {
  "rfc7541-host": "f1e3c2e5f23a6ba0ab90f4ff",
  "rfc7541-date": "d07abe941054d444a8200595040b8166e082a62d1bff",
  "longest-codes": Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)).toString("hex"),
  "padding-only": "ff",
  "end-of-string-code": "fffffffc",
};

const messages: Record<string, string> = {
  "three-messages": "0000000003616263" + "0000000000" + "010000000578797a7a79",
  "a-prefix-cut-off": "000000",
  "a-message-cut-off": "00000000056162",
  "longer-than-allowed": `0000001001${"61".repeat(20)}`,
  "as-long-as-allowed": `0000001000${"61".repeat(4_096)}`,
  "unknown-flags": "8000000002616200000000027878",
};

const remark = (name: string) => `By hand: ${name.replaceAll("-", " ")}.`;
for (const [name, frames] of Object.entries(toServer))
  keep("http2-server", { name, bytes: Buffer.concat([preface, ...greeting, ...frames]) }, remark(name));
for (const [name, frames] of Object.entries(toClient))
  keep("http2-client", { name, bytes: Buffer.concat([...greeting, ...frames]) }, remark(name));
for (const [name, list] of Object.entries(blocks))
  keep("hpack", { name, bytes: Buffer.concat(list.map((hex) => block(Buffer.from(hex, "hex")))) }, remark(name));
for (const [name, hex] of Object.entries(messages))
  keep("grpc-messages", { name, bytes: Buffer.from(hex, "hex") }, remark(name));
for (const [name, hex] of Object.entries(codes))
  keep("huffman", { name, bytes: Buffer.from(hex, "hex") }, remark(name));
