import { expect, test } from "vitest";
import { dice } from "./dice.ts";
import { EventQueue, type Happening } from "./event-queue.ts";

const event = (at: number): Happening => ({ at, order: 0, place: -1, happen() {} });

/** All that is left, in the order in which it comes. */
function drained(queue: EventQueue): Happening[] {
  const taken: Happening[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next);
  return taken;
}

test("events come by their time, and those of one time as they were added, whatever is taken out between", () => {
  const random = dice(1);
  for (let round = 0; round < 50; round++) {
    const queue = new EventQueue();
    const added = Array.from({ length: 200 }, () => event(random.between(0, 30)));
    for (const each of added) queue.add(each);
    const gone = new Set(added.filter(() => random.chance(0.4)));
    for (const each of gone) queue.remove(each);
    const left = added.filter((each) => !gone.has(each));
    expect(queue.size).toBe(left.length);
    expect(drained(queue)).toEqual(left.toSorted((a, b) => a.at - b.at)); // a sort that keeps the order of equals
  }
});

test("an event that is not in the queue may be taken out of it, and added again", () => {
  const queue = new EventQueue();
  const one = event(1);
  queue.remove(one);
  queue.add(one);
  expect(queue.take()).toBe(one);
  queue.remove(one);
  queue.add(one);
  expect(queue.next).toBe(one);
});
