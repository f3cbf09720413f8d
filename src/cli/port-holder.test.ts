import { expect, test } from "vitest";
import { defaultEngine } from "../wire/engines.ts";
import { portHolder } from "./port-holder.ts";

test.runIf(process.platform === "linux")("who listens at a port is found with its command", async () => {
  const handler = async () => ({ status: 200 });
  const { port } = await (async () => {
    await using listener = await defaultEngine.listen({ host: "127.0.0.1", port: 0, handler });
    expect(portHolder(listener.port)).toMatchObject({ pid: process.pid, command: expect.stringContaining("node") });
    return listener;
  })();
  expect(portHolder(port)).toBeUndefined();
});
