import { parseArgs } from "node:util";
import { openPageServer } from "./page-server.ts";

// node src/test/browser/serve-page.ts [--port 8080] [--gateway http://127.0.0.1:8000]
const { values } = parseArgs({
  options: { port: { type: "string", default: "8080" }, gateway: { type: "string" } },
});
const server = await openPageServer({ port: Number(values.port) });
const query = values.gateway === undefined ? "" : `?${new URLSearchParams({ gateway: values.gateway })}`;
process.stdout.write(
  `The shop's page: ${server.origin}/${query}\nIt calls the gateway that \`make up\` starts. Ctrl+C ends it.\n`,
);
