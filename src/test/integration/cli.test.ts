import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { down } from "../../cli/commands/down.ts";
import { explain } from "../../cli/commands/explain.ts";
import { logs } from "../../cli/commands/logs.ts";
import { status } from "../../cli/commands/status.ts";
import { token } from "../../cli/commands/token.ts";
import { up } from "../../cli/commands/up.ts";
import { type Part, program } from "../../cli/plan.ts";
import { isAlive, markOf, signalTo } from "../../cli/process-mark.ts";
import { runCli } from "../../cli/run-cli.ts";
import { RunFile, type RunningPart } from "../../cli/run-file.ts";
import { screen } from "../../cli/screen.ts";
import { stopParts } from "../../cli/stop-parts.ts";
import { selfSigned } from "../../testing/certificate.ts";
import { defaultEngine } from "../../wire/engines.ts";

/** A home in a scratch folder, and the command line over it. What a test starts in it ends with the test. */
function openHome(plan: readonly Part[], more: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), "heddle-cli-"));
  const file = new RunFile(home);
  const interruption = new AbortController();
  const heddle = async (...args: string[]) => {
    let out = "";
    const write = (text: string) => {
      out += text;
      if (args.includes("up") && interruptAt?.test(out)) interruption.abort(new Error("^C"));
    };
    const env = { ...more, PATH: process.env.PATH, HEDDLE_HOME: home, HEDDLE_DISCOVERY: `127.0.0.1:${plan[0]?.port}` };
    const outside = { env, clock: systemClock, interrupted: interruption.signal, stdout: { write }, stderr: { write } };
    const ended = await runCli({ ...outside, args, plan, commands: [up, down, status, logs, explain, token] });
    return { status: ended, out };
  };
  let interruptAt: RegExp | undefined;
  onTestFinished(async () => {
    await heddle("down");
    rmSync(home, { recursive: true });
  });
  const alive = () => (file.read()?.parts ?? []).filter(isAlive);
  return { heddle, home, file, alive, interruptWhen: (shown: RegExp) => (interruptAt = shown) };
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const handler = async () => ({ status: 200 });
  const open = Array.from({ length: count }, () => defaultEngine.listen({ host: "127.0.0.1", port: 0, handler }));
  const listeners = await Promise.all(open);
  for (const listener of listeners) await listener[Symbol.asyncDispose]();
  return listeners.map(({ port }) => port);
}

/** Discovery, a service and a gateway, at ports of their own. */
async function smallPlan(service = "user"): Promise<Part[]> {
  const ports = await freePorts(6);
  const [discovery, user, gateway] = ["services/discovery", `services/${service}`, "gateway"].map((folder, stage) => {
    const [port = 0, adminPort = 0] = ports.slice(2 * stage);
    return { name: folder.replace("services/", ""), port, adminPort, program: program(folder), env: {}, stage };
  });
  return [discovery, user, gateway].filter((part) => part !== undefined);
}

test("up starts all, says so when it is asked again, starts what died, and down leaves nothing", async () => {
  const plan = await smallPlan();
  const { heddle, alive, file } = openHome(plan);

  const first = await heddle("up");
  expect(first.out).toContain("the mesh");
  expect(first.status).toBe(0);
  expect(alive()).toHaveLength(3);

  const second = await heddle("up");
  expect(second).toMatchObject({ status: 0, out: expect.stringContaining("up already") });
  expect(await heddle("status")).toMatchObject({ status: 0 });
  const { instances } = JSON.parse((await heddle("status", "--json")).out);
  expect(instances.map(({ name, health }: { name: string; health: string }) => `${name} ${health}`)).toEqual(
    ["discovery", "gateway", "user"].map((name) => `${name} healthy`),
  );

  const answer = await fetch(`http://127.0.0.1:${plan[2]?.port}/v1/users`);
  const told = await heddle("explain", answer.headers.get("heddle-trace-id") ?? "");
  expect(told).toMatchObject({
    status: 0,
    out: expect.stringMatching(/gateway at .*\n.*UserService\/ListUsers: answered/),
  });

  const [victim] = alive().filter(({ name }) => name === "user");
  const survivors = alive().filter((part) => part !== victim && part.name !== "user");
  signalTo(victim ?? { pid: 0, mark: "x" }, "SIGKILL");
  await gone(victim);
  expect(await heddle("status")).toMatchObject({ status: 1, out: expect.stringContaining("has died") });

  const third = await heddle("up");
  expect(third.out).toMatch(/Died since the last start: user on port/);
  expect(third.status).toBe(0);
  expect(alive()).toHaveLength(3);
  expect(alive()).toEqual(expect.arrayContaining(survivors));

  const parts = alive();
  expect(await heddle("logs", "user", "-n", "500")).toMatchObject({ out: expect.stringContaining("registered") });
  expect(await heddle("down")).toMatchObject({ status: 0, out: expect.stringContaining("All stopped") });
  expect(parts.filter(isAlive)).toEqual([]);
  expect(existsSync(file.path)).toBe(false);
  expect(await heddle("down")).toMatchObject({ status: 0, out: expect.stringContaining("Nothing runs") });
  expect(await heddle("status")).toMatchObject({ status: 1, out: expect.stringContaining("Nothing runs") });
});

test("a part that breaks is shown with the end of its log, and nothing of the start is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const broken = join(folder, "broken.js");
  writeFileSync(broken, `console.log("the loom is on fire"); process.exitCode = 3;`);
  const plan = await smallPlan();
  const { heddle, file } = openHome(plan.map((part) => (part.name === "user" ? { ...part, program: broken } : part)));
  const { status, out } = await heddle("up");
  expect(status).toBe(1);
  expect(out).toMatch(/failed {2}user .* ended with status 3/);
  expect(out).toContain("the loom is on fire");
  expect(out).toMatch(/stopped {2}discovery/);
  expect(existsSync(file.path)).toBe(false);
});

test("a port in use is named with who needs it and who has it, and nothing is started", async () => {
  const plan = await smallPlan();
  const { heddle, home, file } = openHome(plan);
  const handler = async () => ({ status: 200 });
  const port = plan[1]?.adminPort ?? 0;
  await using _other = await defaultEngine.listen({ host: "127.0.0.1", port, handler });
  const { status, out } = await heddle("up");
  expect(status).toBe(1);
  expect(out).toContain(`port ${port}, needed for the machine pages of user, is in use`);
  if (process.platform === "linux") expect(out).toContain(`in use by process ${process.pid} (`);
  expect(existsSync(join(home, "logs"))).toBe(false);
  expect(existsSync(file.path)).toBe(false);
});

test("a start that is interrupted takes back what it started", async () => {
  const { heddle, file, interruptWhen } = openHome(await smallPlan());
  interruptWhen(/ready/);
  const { status, out } = await heddle("up");
  expect(status).toBe(130);
  expect(out).toContain("Interrupted");
  expect(existsSync(file.path)).toBe(false);
});

test("a run file cut short does not keep anybody from starting or stopping", async () => {
  const { heddle, file } = openHome(await smallPlan());
  writeFileSync(file.path, '{"parts":[{"na');
  expect(await heddle("down")).toMatchObject({ status: 0 });
  writeFileSync(file.path, '{"parts":[{"na');
  expect(await heddle("up")).toMatchObject({ status: 0 });
});

test("while another start is under way, a second one stays away", async () => {
  const { heddle, file } = openHome(await smallPlan());
  file.write({ starter: markOf(process.pid), parts: [] });
  expect(await heddle("up")).toMatchObject({ status: 1, out: expect.stringContaining(`process ${process.pid}`) });
  file.remove();
});

test("a part that does not end by itself is killed, and that is said", async () => {
  const stubborn = spawn(process.execPath, ["-e", `process.on("SIGTERM", () => {}); setInterval(console.log, 50)`]);
  await once(stubborn.stdout, "data");
  const started = { name: "user", port: 1, adminPort: 2, stage: 1, log: "", startedAt: 0 };
  const part: RunningPart = { ...started, ...markOf(stubborn.pid ?? 0) };
  let out = "";
  const hasty = { ...systemClock, now: () => systemClock.now() * 100 };
  await stopParts([part], { clock: hasty, out: screen({ write: (text) => (out += text) }) });
  expect(out).toContain("did not end within 15 s and was killed");
  expect(isAlive(part)).toBe(false);
});

async function gone(part: RunningPart | undefined): Promise<void> {
  while (part !== undefined && isAlive(part)) await systemClock.sleep(20);
}

test("what up starts takes the tokens that `heddle token` prints, and after a rotation the old and the new ones", async () => {
  const plan = await smallPlan("catalog");
  const { heddle } = openHome(plan);
  expect(await heddle("up")).toMatchObject({ status: 0 });
  const [, catalog, gateway] = plan;
  const tokenOf = async (scope: string) => (await heddle("token", "--sub", "ada", "--scope", scope)).out.trim();
  const post = async (port: number | undefined, bearer?: string) => {
    const product = { sku: `SKU-${Math.random()}`, name: "Shuttle", price: { currencyCode: "EUR", units: "9" } };
    const headers = { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const body = JSON.stringify(product);
    return (await fetch(`http://127.0.0.1:${port}/v1/products`, { method: "POST", headers, body })).status;
  };
  const [reader, old] = [await tokenOf("orders:read"), await tokenOf("products:write")];
  for (const port of [gateway?.port, catalog?.port]) {
    expect([await post(port), await post(port, reader), await post(port, old)]).toEqual([401, 403, 201]);
  }
  expect((await heddle("token", "rotate")).out).toContain("is taken until");
  const next = await tokenOf("products:write");
  for (const port of [gateway?.port, catalog?.port]) {
    expect([await post(port, next), await post(port, old)]).toEqual([201, 201]);
  }
});

test("with a certificate the gateway that up starts speaks HTTPS, and shows the next one without a restart", async () => {
  const [plan, first, second] = [await smallPlan(), selfSigned(), selfSigned()];
  const dir = mkdtempSync(join(tmpdir(), "heddle-tls-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const files = { TLS_CERT_FILE: join(dir, "cert.pem"), TLS_KEY_FILE: join(dir, "key.pem") };
  const write = ({ cert, key }: typeof first) => {
    writeFileSync(files.TLS_CERT_FILE, cert);
    writeFileSync(files.TLS_KEY_FILE, key);
  };
  write(first);
  const { heddle } = openHome(plan, files);
  const { status, out } = await heddle("up");
  expect([status, out]).toEqual([0, expect.stringContaining("https://localhost:")]);
  const ask = (ca: string) =>
    new Promise((resolve) => {
      const url = `https://localhost:${plan[2]?.port}/v1/users`;
      const asked = get(url, { ca, agent: false, family: 4 }, ({ statusCode }) => resolve(statusCode));
      asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
  expect(await ask(first.cert)).toBe(200);
  expect((await fetch(`http://127.0.0.1:${plan[1]?.port}/v1/users`)).status).toBe(200); // the others are at home
  write(second);
  await expect.poll(() => ask(second.cert), { timeout: 20_000 }).toBe(200);
  expect(await ask(first.cert)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
});
