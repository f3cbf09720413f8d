/**
 * Tries docker-compose.yml for real: builds, starts a project of its own, calls it through the gateway, takes the broker
 * away and gives it back, makes a backup and audits, takes replicas away under calls, and removes everything but the
 * images.
 *
 * It needs a Docker engine with Compose. It publishes on a second loopback address, which Linux has, and so meets
 * neither `make up` nor a project that runs already.
 */
import { execFile, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const host = "127.0.0.2";
const parts = [
  "discovery",
  "user-1",
  "user-2",
  "catalog",
  "order-1",
  "order-2",
  "gateway",
  "postgres",
  "rabbitmq",
  "backup",
];
const startedAt = Date.now();

/** Compose v2 where the engine has it, else docker-compose. */
const composer = spawnSync("docker", ["compose", "version"]).status === 0 ? ["docker", "compose"] : ["docker-compose"];

/** What a command prints. It runs beside the calls: nothing here waits for it but who asked. */
async function run(...[command = "", ...args]: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, PUBLISH_HOST: host } });
  return stdout.trim();
}

const compose = (...args: string[]) => run(...composer, "--project-name", "heddle-smoke", ...args);

function say(what: string): void {
  console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

function check(what: string, found: unknown, expected: unknown): void {
  if (String(found) !== String(expected)) throw new Error(`${what}: expected ${expected}, found ${found}`);
  say(`${what}: ${found}`);
}

async function healthy(part: string): Promise<void> {
  const id = await compose("ps", "--quiet", part);
  for (let asked = 0; (await run("docker", "inspect", "-f", "{{.State.Health.Status}}", id)) !== "healthy"; asked++) {
    if (asked === 120) throw new Error(`${part} does not turn healthy:\n${await compose("logs", "--tail=20", part)}`);
    await sleep(500);
  }
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(path: string, content?: unknown, token?: string): Promise<Answer> {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const post = { method: "POST", headers, body: JSON.stringify(content) };
  const response = await fetch(`http://${host}:8000${path}`, content === undefined ? {} : post);
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** Reads one path again and again, so many at once; resolves with how often each answer but 200 came. */
async function failedReads(path: string, { count, atOnce }: { count: number; atOnce: number }): Promise<string> {
  const failures = new Map<string, number>();
  let begun = 0;
  const reader = async () => {
    while (begun++ < count) {
      const { status, body } = await call(path).catch((error) => ({ status: 0, body: { error: String(error) } }));
      const told = `${status} ${JSON.stringify(body)}`;
      if (status !== 200) failures.set(told, (failures.get(told) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, reader));
  return failures.size === 0 ? "none" : [...failures].map(([told, times]) => `\n  ${times} × ${told}`).join("");
}

/** The order as `path` tells of it, when it is no longer pending. */
async function settled(path: string, at = (body: Answer["body"]) => body): Promise<Answer["body"]> {
  for (let asked = 0; asked < 120; asked++) {
    const body = at((await call(path)).body);
    if (body !== undefined && body.status !== "pending") return body;
    await sleep(250);
  }
  throw new Error(`${path} stays pending`);
}

/** The first order of a list. */
const first = ({ orders }: Answer["body"]) => (orders as readonly Answer["body"][] | undefined)?.[0] ?? pending;
const pending = { status: "pending" };

async function tryIt(): Promise<void> {
  await compose("build");
  say(`built ${await run("docker", "image", "inspect", "-f", "{{.Size}}", "heddle")} bytes`);
  await compose("up", "-d");
  say("up");
  for (const part of parts) await healthy(part);
  say(`healthy: ${parts.join(", ")}`);
  check("user id of a part", await compose("exec", "-T", "user-1", "node", "-p", "process.getuid()"), 1000);

  const user = await call("/api/users", { name: "Ada", email: "ada@example.com" });
  check("POST /api/users", user.status, 201);
  const order = await call("/api/orders", { user_id: user.body.id, items: [{ sku: "ABC", qty: 2 }] });
  check("POST /api/orders", order.status, 201);
  check("GET /api/orders/{id}", (await call(`/api/orders/${order.body.id}`)).status, 200);
  const listed = `/api/users/${user.body.id}/order-list`;
  check("the order, by RabbitMQ", (await settled(`/api/orders/${order.body.id}`)).status, "confirmed");
  check("the user's list of orders", (await settled(listed, first)).status, "confirmed");
  const greedy = await call("/api/orders", { user_id: user.body.id, items: [{ sku: "ABC", qty: 10_000 }] });
  const cancelled = await settled(`/api/orders/${greedy.body.id}`);
  check("an order beyond the stock", cancelled.status, "cancelled");
  say(`because: ${cancelled.cancel_reason}`);
  await compose("stop", "rabbitmq");
  const meanwhile = await call("/api/orders", { user_id: user.body.id, items: [{ sku: "ABC", qty: 1 }] });
  check("POST /api/orders without the broker", meanwhile.status, 201);
  await compose("start", "rabbitmq");
  check("the same order, when it is back", (await settled(`/api/orders/${meanwhile.body.id}`)).status, "confirmed");
  const stranger = await call("/api/orders", { user_id: "999999", items: [{ sku: "ABC", qty: 2 }] });
  check("POST /api/orders for an unknown user", stranger.status, 404);
  const product = { sku: "SMOKE", name: "Smoke", price: { currency_code: "EUR", units: 1 } };
  check("POST /api/products without a token", (await call("/api/products", product)).status, 401);
  const token = await compose("run", "--rm", "-T", "keys", "token", "--sub", "smoke", "--scope", "products:write");
  check("POST /api/products with a token", (await call("/api/products", product, token)).status, 201);
  check("GET /health", (await call("/health")).status, 200);

  const cli = (...args: string[]) => compose("exec", "-T", "backup", "node", "dist/src/cli/main.js", ...args);
  say(await cli("backup", "--to", "/var/lib/heddle/backups"));
  const [newest = ""] = (await compose("exec", "-T", "backup", "ls", "-r", "/var/lib/heddle/backups")).split("\n");
  say(await cli("backup", "verify", `/var/lib/heddle/backups/${newest}`));
  say(await cli("audit", "--wait", "30s"));

  const replica = await compose("ps", "--quiet", "user-2");
  await failedReads(`/api/users/${user.body.id}`, { count: 500, atOnce: 5 }); // nobody dies cold
  const reads = failedReads(`/api/users/${user.body.id}`, { count: 2_000, atOnce: 50 });
  await run("docker", "kill", replica);
  say("killed user-2 under reads");
  check("failed reads of 2,000", await reads, "none");
  await compose("stop", "user-1");
  check("GET /api/users/{id} without user services", (await call(`/api/users/${user.body.id}`)).status, 503);
  await compose("start", "user-1", "user-2");
  await healthy("user-1");
  check("GET /api/users/{id} with them again", (await call(`/api/users/${user.body.id}`)).status, 200);
}

try {
  await tryIt();
} finally {
  await compose("down", "--volumes");
  say("down");
}
