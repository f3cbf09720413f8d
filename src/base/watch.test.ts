import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { Watchable } from "./watch.ts";

test("followers hear each change in the order they came, until they leave", () => {
  const watched = new Watchable(0);
  const heard: string[] = [];
  const leave = watched.subscribe((value) => heard.push(`a${value}`));
  watched.subscribe((value) => heard.push(`b${value}`));
  watched.set(1);
  leave();
  leave();
  watched.set(2);
  expect(heard).toEqual(["a1", "b1", "b2"]);
  expect(watched.value).toBe(2);
});

test("the same function may follow twice and leave once", () => {
  const watched = new Watchable(0);
  let heard = 0;
  const listener = () => heard++;
  const leave = watched.subscribe(listener);
  watched.subscribe(listener);
  watched.set(1);
  leave();
  watched.set(2);
  expect(heard).toBe(3);
});

test("a follower that changes the value leaves everyone with the last one", () => {
  const watched = new Watchable(0);
  const heard: number[] = [];
  watched.subscribe((value) => value === 1 && watched.set(2));
  watched.subscribe((value) => heard.push(value));
  watched.set(1);
  expect(heard.at(-1)).toBe(2);
});

test("waiting ends with the first value that passes, the present one included", async () => {
  const watched = new Watchable(3);
  expect(await watched.until((value) => value > 2)).toBe(3);
  const four = watched.until((value) => value > 3);
  watched.set(2);
  watched.set(4);
  watched.set(5);
  expect(await four).toBe(4);
  expect(watched.followers).toBe(0);
});

test("waiting ends when its signal aborts; neither way leaves a follower or a listener behind", async () => {
  const watched = new Watchable(0);
  const stop = new AbortController();
  const passed = watched.until((value) => value === 1, stop.signal);
  watched.set(1);
  await passed;
  expect(getEventListeners(stop.signal, "abort")).toEqual([]);

  const waiting = watched.until((value) => value === 2, stop.signal);
  stop.abort("enough");
  await expect(waiting).rejects.toBe("enough");
  await expect(watched.until(() => true, stop.signal)).rejects.toBe("enough");
  expect(watched.followers).toBe(0);
});
