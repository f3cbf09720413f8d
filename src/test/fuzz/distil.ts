/** The end of `make fuzz`: of all the inputs that led somewhere new, keeps few that together lead to all of it. */
import { parentPort, workerData } from "node:worker_threads";
import { examples, isFound, keepFound } from "./corpus.ts";
import { Coverage, Explored } from "./coverage.ts";
import type { Target } from "./target.ts";

/** What the thread is told: the inputs of each target, by its name. */
export type Harvest = ReadonlyMap<string, readonly Uint8Array[]>;

/** Longer ones are not worth their place. */
const maxBytes = 1_500;
const coverage = new Coverage(); // in a thread of its own, where no code has run yet: counts are exact only then
const { targets } = await import("./targets.ts");

/** Says what an input adds to what those before it led to, if anything. */
function scale({ run }: Target): (bytes: Buffer) => string | undefined {
  const explored = new Explored();
  const seen = new Set<string>();
  return (bytes) => {
    const signs = new Set<string>();
    coverage.take();
    run(Buffer.from(bytes), (sign) => signs.add(sign));
    const place = explored.add(coverage.take());
    const sign = [...signs].find((one) => !seen.has(one));
    for (const one of signs) seen.add(one);
    return sign ?? place;
  };
}

const corpora = new Map<string, { bytes: Buffer; adds: string }[]>();
for (const target of targets) {
  const weigh = scale(target);
  const kept = examples(target);
  for (const { bytes } of kept.filter((example) => !isFound(example))) weigh(bytes);
  const before = corpora.get(target.corpus) ?? [];
  for (const { bytes } of before) weigh(bytes); // found by another target that reads the same
  const harvest = (workerData as Harvest).get(target.name) ?? [];
  const candidates = [...kept.filter(isFound).map(({ bytes }) => bytes), ...harvest.map((bytes) => Buffer.from(bytes))];
  const found = candidates
    .filter(({ length }) => length > 0 && length <= maxBytes)
    .toSorted((a, b) => a.length - b.length)
    .map((bytes) => ({ bytes, adds: weigh(bytes) ?? "" }))
    .filter(({ adds }) => adds !== "");
  corpora.set(target.corpus, [...before, ...found]);
}
for (const [corpus, found] of corpora) if (found.length > 0) keepFound(corpus, found);
parentPort?.postMessage([...corpora].map(([corpus, { length }]) => `${corpus} ${length}`).join(" · "));
