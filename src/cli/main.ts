#!/usr/bin/env node
import { systemClock } from "../base/clock.ts";
import { audit } from "./commands/audit.ts";
import { backup } from "./commands/backup.ts";
import { down } from "./commands/down.ts";
import { events } from "./commands/events.ts";
import { explain } from "./commands/explain.ts";
import { discovery, gateway } from "./commands/foreground.ts";
import { logs } from "./commands/logs.ts";
import { openapi } from "./commands/openapi.ts";
import { restore } from "./commands/restore.ts";
import { sagas } from "./commands/sagas.ts";
import { status } from "./commands/status.ts";
import { token } from "./commands/token.ts";
import { up } from "./commands/up.ts";
import { plan } from "./plan.ts";
import { runCli } from "./run-cli.ts";

const args = process.argv.slice(2);
const commands = [
  up,
  down,
  status,
  logs,
  explain,
  events,
  sagas,
  token,
  audit,
  backup,
  restore,
  discovery,
  gateway,
  openapi,
];

// Those that run a part in this very process leave signals to it: it drains.
const interruption = new AbortController();
if (args[0] !== discovery.name && args[0] !== gateway.name) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
}
// A reader that has seen enough, such as `head`, closes the pipe. Following logs ends with it; a start goes on.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (args[0] === logs.name) interruption.abort(error);
});

process.exitCode = await runCli({
  args,
  commands,
  plan,
  env: process.env,
  clock: systemClock,
  interrupted: interruption.signal,
  stdout: process.stdout,
  stderr: process.stderr,
});
