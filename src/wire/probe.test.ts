import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { portInUse, tcpProbe } from "./probe.ts";

const host = "127.0.0.1";

async function openPort() {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}

test("a probe succeeds where somebody listens, and fails with the system's error where nobody does", async () => {
  const open = await openPort();
  await tcpProbe(host, open.port);
  expect(await portInUse(host, open.port)).toBe(true);
  await open[Symbol.asyncDispose]();
  await expect(tcpProbe(host, open.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await portInUse(host, open.port)).toBe(false);
});

test("a probe ends with its signal's reason", async () => {
  await using open = await openPort();
  const stop = new AbortController();
  const probe = tcpProbe(host, open.port, stop.signal);
  stop.abort(new Error("enough"));
  await expect(probe).rejects.toThrow("enough");
  await expect(tcpProbe(host, open.port, stop.signal)).rejects.toThrow("enough");
});
