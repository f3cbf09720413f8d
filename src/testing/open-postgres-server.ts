import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type KillableServer, ServerLives, scriptNamed } from "./server-process.ts";

/**
 * Starts a PostgreSQL on a free port and an empty folder, one that keeps what it has committed whenever it is killed. Its URL names
 * a user who may create databases. Fails where PostgreSQL is not installed, and says so.
 */
export async function openPostgresServer(): Promise<KillableServer> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-postgres-"));
  const port = await freePort();
  const lives = new ServerLives({
    name: "PostgreSQL",
    command: () => [scriptNamed("postgres-server"), folder, String(port)],
    answers: () => letsIn(port),
  });
  const remove = async () => {
    await lives.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await lives.start();
  } catch (reason) {
    await remove();
    throw reason;
  }
  return {
    url: `postgres://heddle@127.0.0.1:${port}/postgres`,
    start: () => lives.start(),
    kill: () => lives.kill(),
    freeze: () => lives.signal("SIGSTOP"),
    thaw: () => lives.signal("SIGCONT"),
    [Symbol.asyncDispose]: remove,
  };
}

/** Whether the server lets somebody in: while it starts or recovers it answers with an error. */
function letsIn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(startup()));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("data", (answer) => {
      resolve(answer.toString("latin1", 0, 1) === "R"); // authentication: it goes on
      socket.destroy();
    });
    socket.once("close", () => resolve(false));
  });
}

/** The first message of PostgreSQL's protocol 3.0. */
function startup(): Buffer {
  const names = Buffer.from("user\0heddle\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeInt32BE(names.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, names]);
}
