import type { UnaryResponse } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import type { Engine } from "./engine.ts";
import type { Attempt } from "./grpc/rpc.ts";
import { SessionPool } from "./session-pool.ts";

/** An engine that notes what becomes of its sessions. */
function noted({ over = Promise.resolve() } = {}) {
  const notes: string[] = [];
  const engine: Engine = {
    listen: () => Promise.reject(new Error("not here")),
    connect(address, options) {
      notes.push(`open ${address}${options?.tls ? " over TLS" : ""}`);
      return {
        address,
        clock: systemClock,
        state: "idle",
        onChange: () => () => {},
        origin: `http://${address}`,
        request: () => Promise.reject(new Error("calls only")),
        send: async () => {
          notes.push(`send to ${address}`);
          return {} as UnaryResponse;
        },
        retire: () => {
          notes.push(`retire ${address}`);
          return over;
        },
        async [Symbol.asyncDispose]() {
          notes.push(`close ${address}`);
        },
      };
    },
  };
  const pool = new SessionPool(engine);
  const ask = (address: string) => pool.send(address, {} as Attempt);
  return { pool, ask, notes };
}

test("an address has one session, made by its first use or its first request", async () => {
  const { pool, ask, notes } = noted();
  expect(pool.retain("a:1")).toBe(pool.retain("a:1"));
  await ask("a:1");
  await ask("[::1]:2");
  await ask("a:1");
  expect(notes).toEqual(["open a:1", "send to a:1", "open [::1]:2", "send to [::1]:2", "send to a:1"]);
});

test("an address that begins with https:// is reached over TLS, apart from the same one in plain text", async () => {
  const { pool, ask, notes } = noted();
  pool.retain("https://a:1");
  pool.retain("a:1");
  await ask("https://a:1");
  pool.release("https://a:1");
  expect(notes).toEqual(["open a:1 over TLS", "open a:1", "send to a:1", "retire a:1"]);
});

test("a session is retired with its last use, and the next send to opens another", async () => {
  const { pool, ask, notes } = noted();
  pool.retain("a:1");
  pool.retain("a:1");
  await ask("a:1");
  pool.release("a:1");
  expect(notes).not.toContain("retire a:1");
  pool.release("a:1");
  expect(notes.at(-1)).toBe("retire a:1");
  await ask("a:1");
  expect(notes.slice(-2)).toEqual(["open a:1", "send to a:1"]);
});

test("releasing what nobody uses is no error", () => {
  const { pool, notes } = noted();
  pool.release("a:1");
  expect(notes).toEqual([]);
});

test("closing the pool closes every session", async () => {
  const { pool, ask, notes } = noted();
  await ask("a:1");
  await ask("b:1");
  await pool[Symbol.asyncDispose]();
  expect(notes.slice(-2)).toEqual(["close a:1", "close b:1"]);
});

test("closing the pool closes sessions that were retired and still carry something, and no others", async () => {
  const over = Promise.withResolvers<void>();
  const { pool, ask, notes } = noted({ over: over.promise });
  for (const address of ["a:1", "b:1"]) {
    pool.retain(address);
    await ask(address);
  }
  pool.release("a:1");
  over.resolve();
  await over.promise;
  pool.release("b:1");
  await pool[Symbol.asyncDispose]();
  expect(notes.filter((note) => note.startsWith("close"))).toEqual(["close b:1"]);
});
