import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../app/run.ts";
import { silentLogger } from "../base/log.ts";
import { annService, openTown, until } from "../test/suites/gateway-parts.ts";
import { selfSigned } from "../testing/certificate.ts";
import { openHttp2 } from "../testing/raw-client.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const [first, second] = [selfSigned(), selfSigned()];

/** Files of a pair, which may be replaced. */
function openFiles(pair: typeof first) {
  const dir = mkdtempSync(join(tmpdir(), "heddle-tls-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const tlsFiles = { certFile: join(dir, "cert.pem"), keyFile: join(dir, "key.pem") };
  const write = ({ cert, key }: typeof first) => {
    writeFileSync(tlsFiles.certFile, cert);
    writeFileSync(tlsFiles.keyFile, key);
  };
  write(pair);
  return { tlsFiles, write };
}

/** Asks over HTTP/1.1 and a connection of its own: the status and the text, or the error's code. */
function ask(url: string, ca: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = get(url, { ca, agent: false, headers: { connection: "close" } }, (response) => {
      void text(response).then((told) => resolve(`${response.statusCode} ${told}`));
    });
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
  });
}

test("a gateway over HTTPS shows a new certificate without a restart, and connections that are open go on", async () => {
  await using town = await openTown();
  await using _users = await town.join("user", [[UserService, annService()]]);
  const { tlsFiles, write } = openFiles(first);
  await using gateway = await town.gateway({ tlsFiles });
  const origin = `https://127.0.0.1:${gateway.port}`;
  await until(
    () => ask(`${origin}/v1/users/1`, first.cert),
    (told) => told.startsWith("200 ") && told.includes("Ann"),
  );
  await using open = await openHttp2(origin, { ca: first.cert });
  write(second);
  await until(
    () => ask(`${origin}/v1/users/1`, second.cert),
    (told) => told.startsWith("200 "),
  );
  expect(await ask(`${origin}/v1/users/1`, first.cert)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(await open.get("/v1/users/1")).toMatchObject({ status: 200, text: expect.stringContaining("Ann") });
});

test("a service that speaks TLS says so to discovery, is found, described and called", async () => {
  await using town = await openTown();
  const { tlsFiles } = openFiles(first);
  const services = [[UserService, annService()]] as const;
  const about = { name: "user", services, discovery: town.address, tlsFiles, adminPort: 0 };
  await using users = await serve({ ...about, log: silentLogger, signals: false, drainMs: 0 });
  const entry = town.registry.all().find(({ instance }) => instance.name === "user");
  expect(entry?.instance).toMatchObject({
    metadata: { scheme: "https" },
    healthCheck: { probe: { case: "http", value: { url: `http://127.0.0.1:${users.adminPort}/readyz` } } },
  });
  await using gateway = await town.gateway({ endpointTls: { ca: first.cert } });
  const answer = await until(
    () => fetch(`http://127.0.0.1:${gateway.port}/v1/users/1`),
    ({ status }) => status === 200,
  );
  expect(await answer.json()).toMatchObject({ name: "Ann" });
});

test("a gateway whose certificate and key do not fit does not start", async () => {
  await using town = await openTown();
  const { tlsFiles } = openFiles({ cert: first.cert, key: second.key });
  await expect(town.gateway({ tlsFiles })).rejects.toThrow(/key.pem is not the key of/);
});
