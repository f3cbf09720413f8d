import { mkdtempDisposableSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { runCli } from "../run-cli.ts";
import { token } from "./token.ts";

/** What `heddle token …` prints, and its exit status. */
async function typed(home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli({
    args: ["token", ...args],
    commands: [token],
    plan: [],
    env: { HEDDLE_HOME: home, ...env },
    clock: systemClock,
    interrupted: new AbortController().signal,
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
  });
  return { status, out: out.join(""), err: err.join("") };
}

const scratch = () => mkdtempDisposableSync(join(tmpdir(), "heddle-home-"));

test("it prints a token and nothing else", async () => {
  using home = scratch();
  const { status, out } = await typed(home.path, [
    "--sub",
    "ada",
    "--scope",
    "products:write orders:read",
    "--ttl",
    "90s",
  ]);
  expect(status).toBe(0);
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const { iat = 0, ...claims } = decodeJwt(out.trim());
  expect(claims).toMatchObject({ sub: "ada", scope: "products:write orders:read", aud: "heddle", exp: iat + 90 });
});

test("it is good for an hour, and for whom it is told", async () => {
  using home = scratch();
  const { iat = 0, ...claims } = decodeJwt((await typed(home.path, ["--sub", "ada", "--aud", "desk"])).out.trim());
  expect(claims).toMatchObject({ aud: "desk", exp: iat + 3_600 });
  expect(claims.scope).toBeUndefined();
});

test("rotate lets a new key sign and says how long the old one is taken", async () => {
  using home = scratch();
  const before = decodeProtectedHeader((await typed(home.path, ["--sub", "ada"])).out.trim());
  const { status, out } = await typed(home.path, ["rotate"]);
  expect(status).toBe(0);
  expect(out).toMatch(new RegExp(`signs from now on.\\nThe key ${before.kid} is taken until 20`));
  const after = decodeProtectedHeader((await typed(home.path, ["--sub", "ada"])).out.trim());
  expect(after.kid).not.toBe(before.kid);
});

test.each([
  [[], /needs --sub/],
  [["--sub", ""], /needs --sub/],
  [["--sub", "ada", "--ttl", "soon"], /--ttl=soon has to be a span/],
  [["--sub", "ada", "--ttl", "60"], /--ttl=60 has to be a second or more, with its unit/],
  [["rotat"], /takes no "rotat": did you mean rotate/],
  [["rotate", "--sub", "ada"], /rotate takes no --sub/],
  [["--subject", "ada"], /no option --subject/],
])("%j is not understood, and nothing is made", async (args, complaint) => {
  using home = scratch();
  const { status, out, err } = await typed(home.path, args);
  expect([status, out]).toEqual([2, ""]);
  expect(err).toMatch(complaint);
  expect(readdirSync(home.path)).toEqual([]);
});

test("production is no place for it", async () => {
  using home = scratch();
  for (const args of [["--sub", "ada"], ["rotate"]]) {
    const { status, err } = await typed(home.path, args, { NODE_ENV: "production" });
    expect(status).toBe(2);
    expect(err).toMatch(/NODE_ENV is production: have AUTH_JWKS name/);
  }
  expect(readdirSync(home.path)).toEqual([]);
});
