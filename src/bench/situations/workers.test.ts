import { expect, test } from "vitest";
import { Workers } from "./workers.ts";

/** Works that end when told, and the order in which they began. */
function open(count: number) {
  const workers = new Workers(count);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, signal = new AbortController().signal) =>
    workers.run(() => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    }, signal);
  const end = async (name: string) => {
    ends.get(name)?.();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { workers, begun, run, end };
}

test("so many are at work at once, and the others follow in their order", async () => {
  const { begun, run, end } = open(2);
  for (const name of ["a", "b", "c", "d"]) void run(name);
  expect(begun).toEqual(["a", "b"]);
  await end("b");
  expect(begun).toEqual(["a", "b", "c"]);
  await end("a");
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

test("one that is given up leaves the line, and costs nobody a turn", async () => {
  const { begun, run, end } = open(1);
  const given = new AbortController();
  void run("a");
  const left = run("b", given.signal);
  void run("c");
  given.abort(new Error("enough"));
  await expect(left).rejects.toThrow("enough");
  await end("a");
  expect(begun).toEqual(["a", "c"]);
});

test("when there are more of them, more are at work at once; when fewer, nobody begins until enough have ended", async () => {
  const { workers, begun, run, end } = open(1);
  for (const name of ["a", "b", "c", "d"]) void run(name);
  workers.count = 3;
  await end("");
  expect(begun).toEqual(["a", "b", "c"]);
  workers.count = 1;
  await end("a");
  await end("b");
  expect(begun).toEqual(["a", "b", "c"]);
  await end("c");
  expect(begun).toEqual(["a", "b", "c", "d"]);
});
