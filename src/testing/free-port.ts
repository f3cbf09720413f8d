import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that systems give to outgoing connections, so that nobody takes one before its program does. */
const [lowest, highest] = [20_000, 32_000];

/** Ports given out by this process: a program may be between two lives on one of them. */
const given = new Set<number>();

/** A port of this machine that is free, and that this process is given only once. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (given.has(port) || !(await isFree(host, port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
