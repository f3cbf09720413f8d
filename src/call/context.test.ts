import { createContextKey, createContextValues } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { currentCall, ownValues, runDetached, runInCall } from "./context.ts";

test("what runs in a call, and all it starts, knows the call; nobody else does", async () => {
  const call = { deadlineAt: 1 };
  const inside = runInCall(call, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return currentCall();
  });
  expect(currentCall()).toBeUndefined();
  expect(await inside).toBe(call);
});

test("what runs detached is on behalf of nobody, though a call started it", async () => {
  const seen = runInCall({ deadlineAt: 1 }, () => runDetached(async () => currentCall()));
  expect(await seen).toBeUndefined();
});

test("a call's own values show what its caller gave, and keep from it what was noted since", () => {
  const key = createContextKey("default");
  const given = createContextValues().set(key, "given");
  const own = ownValues(given);
  expect([own.get(key), ownValues().get(key)]).toEqual(["given", "default"]);
  own.set(key, "own");
  expect([own.get(key), given.get(key)]).toEqual(["own", "given"]);
  own.delete(key);
  expect([own.get(key), given.get(key)]).toEqual(["default", "given"]);
});
