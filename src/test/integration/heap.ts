import { once } from "node:events";
import { eventually } from "../../testing/eventually.ts";
import type { Replica } from "../../testing/replica.ts";

/** Environment of a program whose heap is to be looked into: it listens for a debugger, on this machine alone. */
export const inspected = { NODE_OPTIONS: "--inspect=127.0.0.1:0" } as const;

/** The heap of a program of ours, as its debugger has it. */
export interface Heap extends Disposable {
  /** What it holds when everything has gone that may go, in MiB. */
  mib(): Promise<number>;
}

/** Looks into the heap of a program that was started `inspected`. */
export async function openHeap(replica: Replica): Promise<Heap> {
  const found = await eventually(
    `${replica.name} tells of its debugger`,
    async () => /ws:\/\/127\.0\.0\.1:\S+/.exec(replica.output)?.[0],
  );
  const socket = new WebSocket(found);
  await once(socket, "open");
  const answers = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
    answers.get(id)?.(result);
  });
  let asked = 0;
  const ask = <T>(method: string): Promise<T> =>
    new Promise((resolve) => {
      answers.set(++asked, resolve as (result: unknown) => void);
      socket.send(JSON.stringify({ id: asked, method }));
    });
  return {
    async mib() {
      await ask("HeapProfiler.collectGarbage");
      const { usedSize } = await ask<{ usedSize: number }>("Runtime.getHeapUsage");
      return usedSize / 2 ** 20;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
