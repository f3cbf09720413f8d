import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Flag, FrameType, preface } from "../../http2/frame.ts";
import { HpackEncoder } from "../../http2/hpack-encoder.ts";
import { Output } from "../../http2/output.ts";
import { frame, word } from "../../testing/http2-frames.ts";
import { examples } from "./corpus.ts";
import { Dice } from "./dice.ts";
import { opened } from "./http2-connection.ts";
import { mutate } from "./mutate.ts";
import { targets } from "./targets.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use, in the heap and in buffers, once everything that may go has gone. */
function used(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
const kib = (bytes: number) => Math.round(bytes / 1024);

/** Frames of a client that never repeats itself, on streams that end in every way there is. */
function traffic(dice: Dice): (count: number) => Buffer[] {
  const [encoder, output] = [new HpackEncoder(), new Output(() => {})];
  let id = -1;
  const request = () => {
    id += dice.pick([2, 2, 2, 4]);
    const path = dice.pick(["/echo", "/early", "/hold", "/reset"]);
    const own = [`x-${id}`, String(id), "x-tenant", `tenant-${dice.below(1_000_000)}`, `x-${dice.below(500)}`, "again"];
    encoder.encode(Object.freeze([":method", "POST", ":scheme", "http", ":path", path]), own, output);
    const block = output.take() ?? Buffer.alloc(0);
    const body = frame(FrameType.data, Flag.endStream, id, dice.bytes(dice.small(300)));
    const reset = frame(FrameType.rstStream, 0, id, word(8));
    const ping = frame(FrameType.ping, 0, 0, dice.bytes(8));
    const settings = frame(FrameType.settings, 0, 0, [0, 1, 0, 0, dice.below(16), 0]);
    const end = dice.pick([[body, reset], [reset], [body, ping, reset], [settings, body, reset]]);
    return [frame(FrameType.headers, Flag.endHeaders, id, block), ...end];
  };
  return (count) => Array.from({ length: count }, request).flat();
}

// The peer of this one never opens its window, so that bodies wait for ever: their streams have to go all the same.
test("a connection that has seen 50,000 streams holds no more than after 5,000", () => {
  const frames = traffic(new Dice(1));
  const { connection, witness } = opened("server");
  let nowMs = 0;
  const live = (streams: number) => {
    for (let left = streams; left > 0; left -= 10) {
      nowMs += 10_000;
      connection.receive(Buffer.concat(frames(10)), nowMs);
      while (connection.take() !== undefined);
      if (!connection.isOver) witness.forget();
    }
    expect(connection.isOver, witness.lines.at(-1)).toBe(false);
    return used();
  };
  connection.receive(
    Buffer.concat([preface, frame(FrameType.settings, 0, 0), frame(FrameType.settings, Flag.ack, 0)]),
    0,
  );
  const early = live(5_000);
  const late = live(45_000);
  expect(kib(late - early)).toBeLessThan(256);
});

test.each(["http2-server", "http2-client"])("what a peer leaves half done holds less than 512 KiB (%s)", (name) => {
  const target = targets.find((one) => one.name === name) as (typeof targets)[number];
  const dice = new Dice(2);
  const inputs = examples(target).map(({ bytes }) => bytes);
  const make = () => mutate(target, dice, { example: dice.pick(inputs), other: dice.pick(inputs) });
  const leave = (bytes: Buffer) => {
    const { connection, witness } = opened(name === "http2-client" ? "client" : "server");
    connection.receive(Buffer.from(bytes), 0);
    witness.forget();
    return connection;
  };
  make();
  leave(make()).close();
  const before = used();
  const held = Array.from({ length: 300 }, () => leave(make()));
  const each = (used() - before) / held.length;
  expect(kib(each)).toBeLessThan(512);
});
