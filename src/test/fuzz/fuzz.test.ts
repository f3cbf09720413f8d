import { describe, expect, test } from "vitest";
import { type Example, examples, isFound } from "./corpus.ts";
import { Dice } from "./dice.ts";
import { Broken, shrink, tryMany, tryOne } from "./fuzz.ts";
import { tale } from "./http2-connection.ts";
import { readFrames } from "./http2-frames.ts";
import { promiseCutsDoNotMatter } from "./pieces.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets.ts";

const seeds = [1, 2, 3];
const rounds = 400;

describe.each(targets.map((target) => ({ name: target.name, target })))("$name", ({ target }) => {
  const kept = examples(target);

  test("every example in the corpus keeps the promises", () => {
    expect(kept.length).toBeGreaterThan(4);
    for (const { name, bytes } of kept) tryOne(target, bytes, { from: name });
  });

  test.each(seeds)("whatever is made of the examples keeps the promises (seed %i)", (seed) => {
    tryMany(
      target,
      kept.map(({ bytes }) => bytes),
      { seed, rounds },
    );
  });

  test("bytes without any sense keep the promises", () => {
    const dice = new Dice(4);
    for (let i = 0; i < rounds; i++) tryOne(target, dice.bytes(dice.small(500)), { from: `seed 4, ${i}` });
  });
});

/** The two pieces that each cut between two bytes makes. */
const cuts = (bytes: Buffer) =>
  Array.from({ length: bytes.length - 1 }, (_, i) => [bytes.subarray(0, i + 1), bytes.subarray(i + 1)]);

test.each<[string, string, (pieces: readonly Buffer[]) => unknown]>([
  ["the frames", "http2-server", readFrames],
  ["a server", "http2-server", tale("server")],
  ["a client", "http2-client", tale("client")],
])("%s of a recorded connection: the same wherever it is cut", (_name, corpus, tell) => {
  const worthIt = (example: Example) => /^(node|grpc)-/.test(example.name) || example.bytes.length < 150;
  const chosen = examples({ corpus }).filter((example) => !isFound(example) && worthIt(example));
  expect(chosen.length).toBeGreaterThan(8);
  for (const { bytes } of chosen) for (const pieces of cuts(bytes)) promiseCutsDoNotMatter(bytes, pieces, tell);
});

test("a broken promise is told with its seed and the bytes, which are then made short", () => {
  const noSeven: Target = {
    ...{ name: "no-seven", corpus: "none" },
    run(bytes) {
      if (bytes.includes(7)) throw new Error("a seven");
    },
  };
  const caught = thrownBy(() => tryMany(noSeven, [Buffer.from("to begin with")], { seed: 1, rounds: 100_000 }));
  expect(caught).toBeInstanceOf(Broken);
  expect(String(caught)).toMatch(/^Broken: no-seven, seed 1, round \d+: Error: a seven\ninput: [0-9a-f]+$/);
  expect(shrink(noSeven, caught as Broken)).toEqual(Buffer.from([7]));
});

function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
