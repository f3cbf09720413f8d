import type { UnaryResponse } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import type { Engine, SessionState } from "./engine.ts";
import type { Attempt } from "./grpc/rpc.ts";
import { SessionPool } from "./session-pool.ts";

/** An engine that notes what becomes of its sessions. */
function noted({ over = Promise.resolve() } = {}) {
  const notes: string[] = [];
  const states = new Map<string, Watchable<SessionState>>();
  const engine: Engine = {
    listen: () => Promise.reject(new Error("not here")),
    connect(address) {
      notes.push(`open ${address}`);
      const state = new Watchable<SessionState>("idle");
      states.set(address, state);
      return {
        address,
        clock: systemClock,
        get state() {
          return state.value;
        },
        onChange: (listener) => state.subscribe(listener),
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
  const turn = (address: string, state: SessionState) => states.get(address)?.set(state);
  return { pool, ask, notes, states, turn };
}

test("an address has one session, opened by its first request", async () => {
  const { pool, ask, notes } = noted();
  pool.retain("a:1");
  expect(notes).toEqual([]);
  await ask("a:1");
  await ask("[::1]:2");
  await ask("a:1");
  expect(notes).toEqual(["open a:1", "send to a:1", "open [::1]:2", "send to [::1]:2", "send to a:1"]);
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

test("releasing what never had a session is no error", () => {
  const { pool, notes } = noted();
  pool.retain("a:1");
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

test("it tells how things stand with each address, and of each change", async () => {
  const { pool, ask, turn } = noted();
  const heard: string[] = [];
  const stop = pool.onChange((address, state) => heard.push(`${address} ${state}`));
  expect(pool.stateOf("a:1")).toBe("idle");
  await Promise.all([ask("a:1"), ask("b:1")]);
  turn("a:1", "connecting");
  turn("b:1", "backoff");
  turn("a:1", "ready");
  expect([pool.stateOf("a:1"), pool.stateOf("b:1")]).toEqual(["ready", "backoff"]);
  stop();
  turn("b:1", "idle");
  expect(heard).toEqual(["a:1 connecting", "b:1 backoff", "a:1 ready"]);
});

test("an address whose last use has ended is idle, whatever becomes of what its session carries", async () => {
  const { pool, ask, turn, states } = noted();
  const heard: string[] = [];
  pool.onChange((address, state) => heard.push(`${address} ${state}`));
  pool.retain("a:1");
  await ask("a:1");
  turn("a:1", "ready");
  pool.release("a:1");
  turn("a:1", "backoff");
  expect(pool.stateOf("a:1")).toBe("idle");
  expect(heard).toEqual(["a:1 ready", "a:1 idle"]);
  expect(states.get("a:1")?.followers).toBe(0);
});
