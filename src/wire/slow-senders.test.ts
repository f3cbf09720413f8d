import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { exchange } from "../testing/raw-client.ts";
import type { HttpHandler, ListenOptions } from "./engine.ts";
import { engines } from "./engines.ts";

/** Reads bodies whole, and tells what became of them. */
function reading() {
  const ended: string[] = [];
  const handler: HttpHandler = async ({ body }) => {
    try {
      for await (const _ of body as AsyncIterable<Uint8Array>) {
      }
      ended.push("whole");
    } catch {
      ended.push("broken");
      throw new Error("the body broke off");
    }
    return { status: 200 };
  };
  return { handler, ended };
}

/** Sends the pieces one after the other, a moment between each, and reads until it is hung up on. */
function dribble(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  socket.on("error", () => {});
  let next = 0;
  const timer = setInterval(() => socket.write(pieces[next++ % pieces.length] as string), 20);
  return new Promise((resolve) => {
    socket.once("close", () => {
      clearInterval(timer);
      resolve(text);
    });
  });
}

describe.each(Object.entries(engines))("the listener of %s", (_, engine) => {
  const listen = (options: Pick<ListenOptions, "handler" | "headMs" | "requestMs">) =>
    engine.listen({ host: "127.0.0.1", port: 0, ...options });

  test("cuts off who sends a head by the byte, and says why", async () => {
    await using listener = await listen({ ...reading(), headMs: 300 });
    const told = await dribble(listener.port, [
      "GET / HTTP/1.1\r\nHost: a\r\n",
      ...Array<string>(1_000).fill("X-A: b\r\n"),
    ]);
    expect(told).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
    expect(told).toContain("the request took too long to arrive");
  });

  test("cuts off who sends a body by the byte, and tells whoever reads it", async () => {
    const { handler, ended } = reading();
    await using listener = await listen({ handler, requestMs: 300 });
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    expect(await dribble(listener.port, [head, ...Array<string>(1_000).fill("x")])).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => ended).toEqual(["broken"]);
  });

  test("lets those be who are quicker", async () => {
    const { handler, ended } = reading();
    await using listener = await listen({ handler, headMs: 5_000, requestMs: 5_000 });
    const head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
    expect(await exchange(listener.port, head, "a", "b", "c")).toMatch(/^HTTP\/1\.1 200 /);
    expect(ended).toEqual(["whole"]);
  });
});
