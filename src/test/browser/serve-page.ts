import { parseArgs } from "node:util";
import { openPageServer } from "./page-server.ts";

// node src/test/browser/serve-page.ts [--port 8080] [--gateway http://127.0.0.1:8000]
const { values } = parseArgs({
  options: { port: { type: "string", default: "8080" }, gateway: { type: "string", default: "http://127.0.0.1:8000" } },
});
const { port, gateway } = values;
try {
  const server = await openPageServer({ port: Number(port) });
  const place = `${server.origin}/?${new URLSearchParams({ gateway })}`;
  process.stdout.write(
    `The shop's page: ${place}\nIt calls ${gateway}, where \`make up\` has its gateway. Ctrl+C ends it.\n`,
  );
} catch (reason) {
  const message = reason instanceof Error ? reason.message : String(reason);
  process.stderr.write(`The page cannot be served at port ${port}: ${message}. --port takes another one.\n`);
  process.exitCode = 1;
}
