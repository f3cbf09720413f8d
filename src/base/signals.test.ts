import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { linkSignals } from "./signals.ts";

test("a linked signal aborts with the reason of the first of its sources", () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const link = linkSignals(a.signal, undefined, b.signal);
  expect(link.signal.aborted).toBe(false);
  b.abort("b");
  a.abort("a");
  expect(link.signal.reason).toBe("b");
});

test("linking to a signal that has aborted gives one that has", () => {
  const link = linkSignals(new AbortController().signal, AbortSignal.abort("gone"));
  expect(link.signal.reason).toBe("gone");
});

test("its own abort reaches none of its sources", () => {
  const source = new AbortController();
  const link = linkSignals(source.signal);
  link.abort("alone");
  expect(link.signal.reason).toBe("alone");
  expect(source.signal.aborted).toBe(false);
});

test("letting go leaves no listener on any source, so that a process-long signal collects none", () => {
  const processLong = new AbortController().signal;
  for (let call = 0; call < 100; call++) {
    using _link = linkSignals(processLong, new AbortController().signal);
    expect(getEventListeners(processLong, "abort")).toHaveLength(1);
  }
  linkSignals(processLong, AbortSignal.abort())[Symbol.dispose]();
  expect(getEventListeners(processLong, "abort")).toEqual([]);
});
