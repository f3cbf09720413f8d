import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EnvReader } from "../base/env.ts";
import { issuerKey } from "../testing/token-issuer.ts";
import { tokenSettings } from "./token-settings.ts";

const dir = mkdtempSync(join(tmpdir(), "heddle-auth-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const jwks = file("jwks.json", JSON.stringify({ keys: [(await issuerKey()).publicJwk] }));
const secret = file("secret", `${"s".repeat(32)}\n`);

function settings(env: Record<string, string>) {
  const read = new EnvReader(env);
  const { tokens } = tokenSettings(read);
  return { tokens, complaints: read.complaints };
}

test("without keys no tokens are taken", () => {
  expect(settings({})).toEqual({ tokens: undefined, complaints: [] });
});

test("a file of keys, or a URL that is asked later, is all that is needed", () => {
  const rest = { leewayMs: 5_000, keysMaxAgeMs: 600_000 };
  expect(settings({ AUTH_JWKS: jwks })).toEqual({ tokens: { jwks, ...rest }, complaints: [] });
  const url = "https://issuer.example/jwks.json";
  const all = { AUTH_JWKS: url, AUTH_ISSUER: "https://issuer.example", AUTH_AUDIENCE: "shop, desk", AUTH_LEEWAY: "1s" };
  expect(settings(all)).toEqual({
    tokens: { jwks: url, issuer: ["https://issuer.example"], audience: ["shop", "desk"], ...rest, leewayMs: 1_000 },
    complaints: [],
  });
});

test("a secret is read without the end of its line, and brings HS256 with it", () => {
  const { tokens, complaints } = settings({ AUTH_HS256_SECRET_FILE: secret, AUTH_ALGORITHMS: "HS256" });
  expect([tokens?.hs256Secret?.length, tokens?.algorithms, complaints]).toEqual([32, ["HS256"], []]);
});

test.each<[string, Record<string, string>, RegExp]>([
  ["a file that is not there", { AUTH_JWKS: join(dir, "gone") }, /^AUTH_JWKS=.*gone cannot be used: ENOENT/],
  ["a file that is no JWKS", { AUTH_JWKS: secret, AUTH_ISSUER: "x" }, /^AUTH_JWKS=\S+ cannot be used: it is no JSON$/],
  ["rules without keys", { AUTH_ISSUER: "x" }, /^AUTH_ISSUER=x does nothing without AUTH_JWKS/],
  [
    "HS256 without a secret",
    { AUTH_JWKS: jwks, AUTH_ALGORITHMS: "HS256" },
    /HS256, which needs a secret.*AUTH_HS256_SECRET_FILE/,
  ],
  ["a secret that is left out", { AUTH_HS256_SECRET_FILE: secret, AUTH_ALGORITHMS: "ES256" }, /leaves out HS256/],
  [
    "a secret that is too short",
    { AUTH_HS256_SECRET_FILE: file("short", "s".repeat(31)) },
    /holds 31 bytes; 32 or more/,
  ],
  ["none", { AUTH_JWKS: jwks, AUTH_ALGORITHMS: "ES256,none" }, /AUTH_ALGORITHMS=.* names "none"/],
])("%s is complained of by name", (_, env, complaint) => {
  expect(settings(env).complaints.join()).toMatch(complaint);
});
