import { expect, test } from "vitest";
import { currentCall, runDetached, runInCall } from "./context.ts";

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
