import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { eventually } from "../../testing/eventually.ts";

/** A Redis of its own on a port of this machine. It keeps nothing. */
export interface Redis extends AsyncDisposable {
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Stops it without ending it: its connections stay open, and nobody answers on them. */
  freeze(): void;
  thaw(): void;
}

/** Starts `redis-server` on the port, and waits until it listens. Fails where there is none: see scripts/redis. */
export async function openRedis(port: number, ...options: readonly string[]): Promise<Redis> {
  const script = join(import.meta.dirname, "../../../scripts/redis");
  const child = spawn(script, [String(port), ...options], { stdio: ["ignore", "ignore", "inherit"] });
  const kill = () => end(child);
  try {
    await eventually("Redis listens", () => {
      if (child.exitCode !== null) throw new Error(`scripts/redis ended with ${child.exitCode}`);
      return listens(port);
    });
  } catch (reason) {
    await kill();
    throw reason;
  }
  const freeze = () => void child.kill("SIGSTOP");
  return { kill, freeze, thaw: () => void child.kill("SIGCONT"), [Symbol.asyncDispose]: kill };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
