import { expect, test, vi } from "vitest";
import { type CancelListener, Lifetime } from "./lifetime.ts";

const listener = () => ({ canceled: vi.fn() }) satisfies CancelListener;
const why = new Error("not wanted");

test("canceling tells everyone who listens once, in their order, with the reason", () => {
  const life = new Lifetime();
  const told: string[] = [];
  for (const name of ["a", "b", "c"]) life.onCancel({ canceled: (reason) => void told.push(`${name}: ${reason}`) });
  life.cancel(why);
  life.cancel(new Error("later"));
  expect(told).toEqual(["a: Error: not wanted", "b: Error: not wanted", "c: Error: not wanted"]);
  expect(life).toMatchObject({ aborted: true, reason: why });
});

test("who listens to something canceled is told at once", () => {
  const life = new Lifetime();
  life.cancel(why);
  const late = listener();
  life.onCancel(late);
  expect(late.canceled).toHaveBeenCalledExactlyOnceWith(why);
});

test("who has left is told nothing, whichever place it had", () => {
  const life = new Lifetime();
  const all = [listener(), listener(), listener()];
  for (const one of all) life.onCancel(one);
  life.offCancel(all[0] as CancelListener);
  life.offCancel(all[2] as CancelListener);
  life.offCancel(listener());
  life.cancel(why);
  expect(all.map(({ canceled }) => canceled.mock.calls.length)).toEqual([0, 1, 0]);
});

test("the signal is one and the same, and aborts with the reason, whether it was read before or after", () => {
  const early = new Lifetime();
  const { signal } = early;
  const aborted = vi.fn();
  signal.addEventListener("abort", aborted);
  early.cancel(why);
  expect(early.signal).toBe(signal);
  expect(aborted).toHaveBeenCalledTimes(1);
  const late = new Lifetime();
  late.cancel(why);
  for (const { signal } of [early, late]) expect(signal).toMatchObject({ aborted: true, reason: why });
});

test("an end tells those who asked once, with nothing or with why, and is the end of everything made for it", () => {
  for (const reason of [undefined, why]) {
    const life = new Lifetime();
    const [first, second, canceled] = [vi.fn(), vi.fn(), listener()];
    life.onEnd(first);
    life.onEnd(second);
    life.onCancel(canceled);
    const { signal } = life;
    life.end(reason);
    life.end(new Error("again"));
    expect(first).toHaveBeenCalledExactlyOnceWith(reason);
    expect(second).toHaveBeenCalledExactlyOnceWith(reason);
    expect(canceled.canceled).toHaveBeenCalledTimes(1);
    expect(signal.aborted).toBe(true);
  }
});

test("whoever hears of the end hears it before anything made for it is canceled", () => {
  const life = new Lifetime();
  const aborted: boolean[] = [];
  life.onEnd(() => void aborted.push(life.aborted));
  life.end();
  expect(aborted).toEqual([false]);
});

test("what was canceled first keeps its reason when it ends", () => {
  const life = new Lifetime();
  life.cancel(why);
  life.end(why);
  expect(life.reason).toBe(why);
});

test("what follows another is canceled with it, and leaves nothing there when it ends first", () => {
  const parent = new Lifetime();
  const [child, gone] = [new Lifetime(), new Lifetime()];
  child.follow(parent);
  gone.follow(parent);
  gone.end();
  const before = gone.reason;
  parent.cancel(why);
  expect(child).toMatchObject({ aborted: true, reason: why });
  expect(gone.reason).toBe(before);
});

test("what follows something canceled already is canceled too", () => {
  const [parent, child] = [new Lifetime(), new Lifetime()];
  parent.cancel(why);
  child.follow(parent);
  expect(child.reason).toBe(why);
});

test("it heeds a signal that aborts, or has, and takes its listener away when it ends", () => {
  const [before, during, after] = [new AbortController(), new AbortController(), new AbortController()];
  const remove = vi.spyOn(after.signal, "removeEventListener");
  before.abort(why);
  const lives = [before, during, after].map(({ signal }) => {
    const life = new Lifetime();
    life.heed(signal);
    return life;
  });
  during.abort(why);
  lives[2]?.end();
  after.abort(why);
  expect(lives.map(({ reason }) => reason === why)).toEqual([true, true, false]);
  expect(remove).toHaveBeenCalledTimes(1);
});

test("a thousand lives of one parent leave nothing with it", () => {
  const parent = new Lifetime();
  const offs = vi.spyOn(parent, "offCancel");
  for (let i = 0; i < 1_000; i++) {
    const child = new Lifetime();
    child.follow(parent);
    child.end();
  }
  expect(offs).toHaveBeenCalledTimes(1_000);
});

test("listeners may leave, and others may come, while it is being canceled", () => {
  const life = new Lifetime();
  const [second, late] = [listener(), listener()];
  life.onCancel({
    canceled() {
      life.offCancel(second);
      life.onCancel(late);
    },
  });
  life.onCancel(second);
  life.cancel(why);
  expect(late.canceled).toHaveBeenCalledTimes(1);
});
