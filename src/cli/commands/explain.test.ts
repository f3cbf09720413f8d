import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../../app/run.ts";
import { silentLogger } from "../../base/log.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { openTown } from "../../test/suites/gateway-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { markOf } from "../process-mark.ts";
import { runCli } from "../run-cli.ts";
import { RunFile } from "../run-file.ts";
import { explain } from "./explain.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const traceId = "0af7651916cd43dd8448eb211c80319c";
const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };

/** Discovery, a user service that fails its first call, and a mesh in this process that has called it twice. */
async function openRepeated() {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  let asked = 0;
  const getUser = () => (asked++ === 0 ? Promise.reject(new Error("a mistake")) : { user: { id: 1n } });
  const quiet = { log: silentLogger, signals: false, drainMs: 0 } as const;
  const users = [UserService, { getUser, deleteUser: () => ({}) }] as const;
  const server = own.use(
    await serve({ ...quiet, name: "user", services: [users], port: 0, adminPort: 0, discovery: town.address }),
  );
  const mesh = own.use(await openMesh({ discovery: town.address, log: silentLogger }));
  const client = mesh.client(UserService);
  await client.getUser({ id: 1n }, { headers }).catch(() => {});
  const home = mkdtempSync(join(tmpdir(), "heddle-explain-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const all = own.move();
  return { town, server, heddle: heddleAt(town.address, home), [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function heddleAt(discovery: string, home: string) {
  return async (...args: string[]) => {
    let out = "";
    const write = (text: string) => {
      out += text;
    };
    const env = { HEDDLE_HOME: home, HEDDLE_DISCOVERY: discovery };
    const outside = { clock: fakeClock(), interrupted: new AbortController().signal, plan: [], commands: [explain] };
    const status = await runCli({ ...outside, args: ["explain", ...args], env, stdout: { write }, stderr: { write } });
    return { status, out };
  };
}

test("a trace is told by who made its calls, for people and for machines, by its id or a traceparent", async () => {
  await using shop = await openRepeated();
  const { status, out } = await shop.heddle(traceId);
  expect(status).toBe(0);
  expect(out).toContain(`trace ${traceId}\n\nuser at 127.0.0.1:${shop.server.port}\n`);
  expect(out).toMatch(/ {2}shop.user.v1.UserService\/GetUser: INTERNAL after .*\n(.|\n)*attempt 1 goes to user at/);
  expect(out).toContain("could not be asked: discovery at");
  expect((await shop.heddle(headers.traceparent)).out).toContain("UserService/GetUser: INTERNAL");

  const told = JSON.parse((await shop.heddle(traceId.toUpperCase(), "--json")).out);
  expect(told).toMatchObject({ traceId, calls: [{ by: { name: "user" }, call: { outcome: "INTERNAL" }, below: [] }] });
});

test("without a trace the latest eventful calls are listed with theirs", async () => {
  await using shop = await openRepeated();
  const { status, out } = await shop.heddle();
  expect(status).toBe(0);
  expect(out).toMatch(new RegExp(`UserService/GetUser +INTERNAL .* 1 {2}${traceId}`));
  const { calls } = JSON.parse((await shop.heddle("--json")).out);
  expect(calls[0]).toMatchObject({ by: { name: "user" }, call: { traceId } });
});

test("a trace that nobody remembers is status 1, with why that may be and who could not be asked", async () => {
  await using shop = await openRepeated();
  const { status, out } = await shop.heddle("f".repeat(32));
  expect(status).toBe(1);
  expect(out).toContain(`Nobody remembers a call of trace ${"f".repeat(32)}`);
  expect(out).toMatch(/could not be asked: discovery at .* \(it has no pages for machines\)/);
  expect((await shop.heddle("f".repeat(32), "--json")).status).toBe(1);
});

test("what is no trace id is refused, with what one looks like", async () => {
  const heddle = heddleAt("127.0.0.1:1", "/nowhere");
  for (const words of [["abc"], ["0".repeat(32)], [traceId, "more"]]) {
    const { status, out } = await heddle(...words);
    expect({ words, status, out }).toMatchObject({ status: 2, out: expect.stringContaining("is no trace id: 32") });
  }
});

test("while discovery is away, those are asked that were started here", async () => {
  await using shop = await openRepeated();
  const home = mkdtempSync(join(tmpdir(), "heddle-explain-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const { port, adminPort = 0 } = shop.server;
  const part = { name: "user", port, adminPort, stage: 1, log: "", startedAt: 0 };
  new RunFile(home).write({ parts: [{ ...part, ...markOf(process.pid) }] });
  const { status, out } = await heddleAt("127.0.0.1:1", home)(traceId);
  expect(status).toBe(0);
  expect(out).toContain(`user at 127.0.0.1:${port}\n`);
});

test("where nothing runs nobody can be asked", async () => {
  const { status, out } = await heddleAt("127.0.0.1:1", "/nowhere")(traceId);
  expect(status).toBe(1);
  expect(out).toContain("Nobody can be asked");
});
