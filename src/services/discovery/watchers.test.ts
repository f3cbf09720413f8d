import { expect, test } from "vitest";
import { putHealthy } from "../../test/suites/discovery-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Registry } from "./registry.ts";
import { watch } from "./watchers.ts";

function open() {
  const [clock, registry, cancel] = [fakeClock(), new Registry(), new AbortController()];
  const selection = { service: "", includeUnhealthy: false };
  const steps = watch({ registry, clock, selection, signals: [cancel.signal], maxDeltas: 2 });
  const next = async () => (await steps.next()).value?.event.case;
  return { clock, registry, cancel, steps, next };
}

test("nothing that happens while the snapshot travels is missed", async () => {
  const { registry, next } = open();
  expect(await next()).toBe("snapshot");
  putHealthy(registry); // nobody is asking at the moment
  expect(await next()).toBe("delta");
});

test("a change ends the wait", async () => {
  const { clock, registry, next } = open();
  await next();
  const told = next();
  await clock.advance(1_000);
  putHealthy(registry);
  expect(await told).toBe("delta");
  expect(clock.pending).toBe(0);
});

test("five seconds of silence end with a heartbeat, and so do the next five", async () => {
  const { clock, next } = open();
  await next();
  for (let beat = 0; beat < 3; beat++) {
    let told: string | undefined;
    const telling = next().then((event) => {
      told = event;
    });
    await clock.advance(4_999);
    expect(told).toBeUndefined();
    await clock.advance(1);
    await telling;
    expect(told).toBe("heartbeat");
  }
});

test("a reader that stayed away for too many changes gets a snapshot instead", async () => {
  const { registry, next } = open();
  await next();
  for (const port of [1, 2, 3]) putHealthy(registry, { id: `i${port}`, port });
  expect(await next()).toBe("snapshot");
});

test("a client that cancels while it waits leaves nothing behind", async () => {
  const { clock, registry, cancel, steps, next } = open();
  await next();
  const last = steps.next();
  await clock.advance(0);
  expect(registry.listeners).toBe(1);
  cancel.abort();
  expect(await last).toEqual({ done: true, value: undefined });
  expect(registry.listeners).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a client that cancels and never reads again leaves nothing behind", async () => {
  const { clock, registry, cancel, next } = open();
  await next();
  cancel.abort();
  expect(registry.listeners).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a client that stops reading in the middle leaves nothing behind", async () => {
  const { clock, registry, steps, next } = open();
  await next();
  await steps.return(undefined);
  expect(registry.listeners).toBe(0);
  expect(clock.pending).toBe(0);
});
