import { expect, test } from "vitest";
import { pinTogether } from "./pin-together.ts";
import { type Holdable, type Snapshot, StillBusy } from "./snapshot.ts";

/** Databases that note what is done to them; the second is busy so many times. */
function openNoted(busy: number, reason: Error = new StillBusy("busy")) {
  const notes: string[] = [];
  let left = busy;
  const holdable = (name: string): Holdable => ({
    async hold() {
      if (name === "b" && left-- > 0) throw reason;
      notes.push(`hold ${name}`);
    },
    async pin() {
      notes.push(`pin ${name}`);
      return { kind: "sqlite" } as Snapshot;
    },
    async release() {
      notes.push(`release ${name}`);
    },
    async [Symbol.asyncDispose]() {},
  });
  return { notes, holdables: [holdable("a"), holdable("b")] };
}

const tries = ["hold a", "hold b", "pin a", "pin b", "release a", "release b"];

test("no database is pinned before nobody can write to any of them, and all are let go of together", async () => {
  const { notes, holdables } = openNoted(0);
  expect(await pinTogether(holdables)).toHaveLength(2);
  expect(notes).toEqual(tries);
});

test("who cannot hold all of them keeps none, and tries again", async () => {
  const { notes, holdables } = openNoted(1);
  await pinTogether(holdables);
  expect(notes).toEqual(["hold a", "release a", "release b", ...tries]);
});

test("who cannot hold them for too long, or for another reason, says so and keeps none", async () => {
  const busy = openNoted(Number.POSITIVE_INFINITY);
  await expect(pinTogether(busy.holdables, { timeoutMs: 0 })).rejects.toThrow("busy");
  const broken = openNoted(1, new Error("broken"));
  await expect(pinTogether(broken.holdables)).rejects.toThrow("broken");
  expect(broken.notes).toEqual(["hold a", "release a", "release b"]);
});
