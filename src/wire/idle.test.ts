import { execFile } from "node:child_process";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { requestOf } from "../testing/bodies.ts";
import { selfSigned } from "../testing/certificate.ts";
import { engines } from "./engines.ts";

const host = "127.0.0.1";

describe.each(Object.entries(engines))("the engine %s", (name, engine) => {
  test("a session that carries nothing does not keep the process alive, one that waits for an answer does", async () => {
    const handler = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { status: 200 };
    };
    await using listener = await engine.listen({ host, port: 0, handler });
    const program = `
      import { engines } from ${JSON.stringify(fileURLToPath(new URL("./engines.ts", import.meta.url)))};
      const session = engines[${JSON.stringify(name)}].connect("${host}:${listener.port}");
      const url = session.origin + "/a";
      const { status } = await session.request({ url, method: "GET", header: new Headers() });
      console.log(status);`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 4_000 });
    expect((await run).stdout).toBe("200\n");
  });

  test("a host's name is told to a TLS server", async () => {
    const tls = selfSigned();
    const names: unknown[] = [];
    const server = createSecureServer(tls, (_, response) => void response.end());
    server.on("secureConnection", ({ servername }) => names.push(servername));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    const session = engine.connect(`localhost:${port}`, { tls: { ca: tls.cert } });
    expect((await session.request(requestOf(session))).status).toBe(200);
    expect(names).toEqual(["localhost"]);
    await session[Symbol.asyncDispose]();
    server.close();
  });
});
