import { monitorEventLoopDelay } from "node:perf_hooks";
import { createClient } from "@connectrpc/connect";
import { expect, vi } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import type { HttpHandler } from "../wire/engine.ts";
import { grpcTransport } from "../wire/grpc.ts";
import { nodeEngine } from "../wire/node.ts";
import { ownEngine } from "../wire/own.ts";
import { Pipe } from "../wire/own-pipe.ts";
import { openTestServer, type TestServer } from "./open-server.ts";

/** What an attack may cost: generous, since the attacker runs in this very process and others share the machine. */
const [maxDelayMs, maxGrowthBytes] = [1_000, 192 * 1024 * 1024];

/** Watches which limits peers pass, by name: first those that cost a stream or a connection, whoever's it was. */
export function limitsPassed(): Set<string | undefined> {
  const passed = new Set<string | undefined>();
  const note = ({ limit }: { readonly limit?: string | undefined }) => void passed.add(limit);
  const { failed, fault } = Pipe.prototype;
  vi.spyOn(Pipe.prototype, "failed").mockImplementation(function (this: Pipe, error) {
    note(error as { readonly limit?: string });
    failed.call(this, error);
  });
  vi.spyOn(Pipe.prototype, "fault").mockImplementation(function (this: Pipe, told) {
    note(told);
    fault.call(this, told);
  });
  return passed;
}

/** A server on our own HTTP/2 with users, and whatever `fallback` answers. */
export function openVictim(fallback?: HttpHandler): Promise<TestServer> {
  const getUser = ({ id }: { readonly id: bigint }) => ({ user: { id, name: "Ada" } });
  return openTestServer([[UserService, { getUser }]], { engine: ownEngine, ...(fallback && { fallback }) });
}

/**
 * Runs an attack, and expects that meanwhile the event loop kept turning, memory stayed within bounds, and a client on
 * another connection, of another make, was answered every time.
 */
export async function withstands<T>({ address }: { readonly address: string }, attack: () => Promise<T>): Promise<T> {
  await using session = nodeEngine.connect(address);
  const { getUser } = createClient(UserService, grpcTransport(session));
  await getUser({ id: 1n });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  const [before, state] = [held(), { isOver: false, peak: 0, served: 0 }];
  delay.enable();
  const others = (async () => {
    do {
      await getUser({ id: 1n }, { timeoutMs: 10_000 });
      state.served++;
      state.peak = Math.max(state.peak, held());
      await new Promise((resolve) => setTimeout(resolve, 5));
    } while (!state.isOver);
    await getUser({ id: 1n });
  })();
  others.catch(() => {}); // awaited below
  try {
    const result = await attack();
    return result;
  } finally {
    state.isOver = true;
    await others;
    delay.disable();
    expect(state.served).toBeGreaterThan(0);
    expect(delay.max / 1e6).toBeLessThan(maxDelayMs);
    expect(state.peak - before).toBeLessThan(maxGrowthBytes);
  }
}

function held(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
