import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type KillableServer, ServerLives, scriptNamed } from "./server-process.ts";

/** A RabbitMQ of a test's own. */
export interface TestBroker extends KillableServer {
  /** Starts it; settings are rabbitmq.conf's, for this life: { "disk_free_limit.absolute": "100TB" }. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
}

/** Starts a RabbitMQ on a free port and an empty folder. Fails where RabbitMQ is not installed, and says so. */
export async function openBroker(): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-rabbitmq-"));
  const port = await freePort();
  let settings: Readonly<Record<string, string>> = {};
  const command = () => {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    return [scriptNamed("rabbitmq-server"), folder, String(port), ...lines] as const;
  };
  const lives = new ServerLives({ name: "RabbitMQ", command, answers: () => speaksAmqp(port) });
  const start = (given: Readonly<Record<string, string>> = {}) => {
    settings = given;
    return lives.start();
  };
  const remove = async () => {
    await lives.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await start();
  } catch (reason) {
    await remove();
    throw reason;
  }
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    start,
    kill: () => lives.kill(),
    freeze: () => lives.signal("SIGSTOP"),
    thaw: () => lives.signal("SIGCONT"),
    [Symbol.asyncDispose]: remove,
  };
}

/** Whether somebody answers to the first bytes of AMQP 0-9-1. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("AMQP\x00\x00\x09\x01"));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("close", () => resolve(false));
  });
}
