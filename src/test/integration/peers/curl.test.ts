import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prefixed } from "../../../testing/attacker.ts";
import { echoSchema } from "./contract.ts";
import { digestOf, many, mebibyte, piece } from "./pieces.ts";
import { certificate, openOurs, places } from "./places.ts";
import { run } from "./run.ts";

const path = "/peers.v1.EchoService/Unary";
const json = ["-H", "content-type: application/json", "-w", "\n%{http_version} %{http_code}"];
const whole = `${many * mebibyte} ${digestOf(many)}`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "heddle-curl-"));
  writeFileSync(join(dir, "cert.pem"), certificate.cert);
  writeFileSync(join(dir, "body"), Buffer.concat(Array.from({ length: many }, (_, i) => piece(i))));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe.for(places)("our server (%s) and curl, which stands on nghttp2,", ([, place]) => {
  let server: Awaited<ReturnType<typeof openOurs>>;
  beforeAll(async () => {
    server = await openOurs(place);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  const how = place.tls ? ["--http2", "--cacert", "cert.pem"] : ["--http2-prior-knowledge"];
  const curl = (at: string, args: readonly string[], input: string | Uint8Array = "") =>
    run(["curl", "-sS", "--max-time", "50", ...how.map(inDir), ...args.map(inDir), `${server.baseUrl}${at}`], {
      input,
    });
  const inDir = (arg: string) => arg.replace(/^(@?)(cert\.pem|body)$/, (_, at, name) => `${at}${join(dir, name)}`);

  test("speak Connect's JSON, errors, and answer 404 where nothing is", async () => {
    const said = await curl(path, [...json, "-d", '{"text": "hi"}']);
    expect(said, "curl has to be installed, with HTTP/2").toMatchObject({ code: 0, stderr: "" });
    expect(said.stdout).toBe('{"text":"hi"}\n2 200');
    const missing = await curl(path, [...json, "-d", '{"text": "fail"}']);
    expect(missing.stdout).toMatch(/"code":"not_found"[\s\S]*\n2 404$/);
    expect((await curl("/nothing", json)).stdout).toMatch(/\n2 404$/);
    const large = JSON.stringify({ data: piece(0).toString("base64") });
    expect((await curl(path, [...json, "-d", "@-"], large)).stdout).toBe(`${large.replaceAll(" ", "")}\n2 200`);
  });

  test("speak gRPC by hand: head, message and trailers, and an error in trailers only", async () => {
    const message = (text: string) => prefixed(toBinary(echoSchema, create(echoSchema, { text })));
    const grpc = ["-D", "-", "-o", "-", "-H", "content-type: application/grpc", "-H", "te: trailers"];
    const data = ["--data-binary", "@-"];
    const said = await curl(path, [...grpc, "-H", "plain: one", ...data], message("hi"));
    expect(said.stdout).toMatch(/^HTTP\/2 200[\s\S]*head-plain: one[\s\S]*hi[\s\S]*grpc-status: 0/);
    const failed = await curl(path, [...grpc, ...data], message("fail"));
    expect(failed.stdout).toMatch(/^HTTP\/2 200[\s\S]*grpc-status: 5/);
    expect(failed.stdout).toContain("why-bin: AP+A");
    const late = await curl(path, [...grpc, "-H", "grpc-timeout: 200m", ...data], message("wait"));
    expect(late.stdout).toContain("grpc-status: 4");
  });

  test("carry 64 MiB in one body: there, from there, and there and back", async () => {
    expect((await curl("/digest", ["--data-binary", "@body"])).stdout).toBe(whole);
    const got = join(dir, "got");
    for (const [at, args] of [
      ["/pieces", []],
      ["/back", ["--data-binary", "@body"]],
    ] as const) {
      expect(await curl(at, [...args, "-o", got])).toMatchObject({ code: 0, stderr: "" });
      expect((await run(["cmp", got, join(dir, "body")])).code, at).toBe(0);
    }
  });
});

test.for(places.filter(([, { tls }]) => tls === undefined))(
  "a wish to upgrade to HTTP/2 is passed over by our server (%s)",
  async ([, place]) => {
    await using server = await openOurs(place);
    const upgraded = await run(["curl", "-sS", "--http2", ...json, "-d", "{}", `${server.baseUrl}${path}`]);
    expect(upgraded.stdout).toMatch(/\n1\.1 200$/);
  },
);
