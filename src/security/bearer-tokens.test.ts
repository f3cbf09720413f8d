import { createHmac } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { jsonLogger, silentLogger } from "../base/log.ts";
import { errorReason } from "../call/errors.ts";
import { ServedCall } from "../call/served-call.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type IssuerKey, issuerKey, type TokenWish, tokenBy } from "../testing/token-issuer.ts";
import { type BearerTokenOptions, bearerTokens } from "./bearer-tokens.ts";
import type { Principal } from "./principal.ts";

const clock = fakeClock();
const key = await issuerKey();
const usual = { issuer: "https://issuer.example", audience: "shop", clock, log: silentLogger };
const jwksOf = (...keys: readonly IssuerKey[]) => ({ keys: keys.map(({ publicJwk }) => publicJwk) });
const token = (wish: TokenWish = {}, by = key) => tokenBy(by, { now: clock.wall(), ...wish });

function callWith(authorization: string | undefined): ServedCall {
  const header = authorization === undefined ? [] : ["authorization", authorization];
  const about = { method: UserService.method.getUser, protocolName: "grpc", requestMethod: "POST", header } as const;
  return new ServedCall({ ...about, deadlineAt: undefined, arrivedAt: clock.now(), now: clock.now });
}

/** Whom the token proves. */
async function proven(
  text: string,
  options: BearerTokenOptions = { jwks: jwksOf(key) },
): Promise<Principal | undefined> {
  return bearerTokens({ ...usual, ...options })(callWith(`Bearer ${text}`));
}

/** The reason for which it is refused, or "taken". */
async function fate(text: string, options?: BearerTokenOptions): Promise<string> {
  try {
    await proven(text, options);
    return "taken";
  } catch (reason) {
    const error = ConnectError.from(reason);
    return error.code === Code.Unauthenticated ? (errorReason(error)?.reason ?? "") : String(error);
  }
}

test("a token that is right proves its subject, with its scopes and claims", async () => {
  const principal = await proven(await token());
  expect(principal).toMatchObject({ subject: "ada", claims: { aud: "shop", iss: "https://issuer.example" } });
  expect([...(principal?.scopes ?? [])]).toEqual(["products:write"]);
});

test.each([
  ["a text with spaces", { scope: "a b" }],
  ["a list in scp", { scope: undefined, scp: ["a", "b"] }],
  ["a list in scopes", { scope: undefined, scopes: ["a", "b"] }],
  ["a text in scp, and one more in scope", { scope: "a", scp: "b" }],
])("scopes are read from %s", async (_, claims) => {
  expect([...((await proven(await token({ claims: { ...claims } })))?.scopes ?? [])]).toEqual(["a", "b"]);
});

test.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"])("a token signed by %s is taken", async (alg) => {
  const other = await issuerKey(alg);
  expect(await fate(await token({}, other), { jwks: jwksOf(key, other) })).toBe("taken");
});

test("nobody is shown by no header, nor by another scheme", async () => {
  const prove = bearerTokens({ ...usual, jwks: jwksOf(key) });
  expect(prove(callWith(undefined))).toBeUndefined();
  expect(prove(callWith("Basic YWRhOmFkYQ=="))).toBeUndefined();
});

test("the scheme may be written in any case", async () => {
  const prove = bearerTokens({ ...usual, jwks: jwksOf(key) });
  expect(await prove(callWith(`bearer ${await token()}`))).toMatchObject({ subject: "ada" });
});

const ago = (seconds: number) => Math.floor(clock.wall() / 1_000) - seconds;

test.each<[string, object, string]>([
  ["expired", { exp: ago(60) }, "TOKEN_EXPIRED"],
  ["expired within the leeway", { exp: ago(4) }, "taken"],
  ["not valid yet", { nbf: ago(-60) }, "TOKEN_NOT_YET_VALID"],
  ["valid in a moment, within the leeway", { nbf: ago(-4) }, "taken"],
  ["of another issuer", { iss: "https://elsewhere.example" }, "TOKEN_WRONG_ISSUER"],
  ["of no issuer", { iss: undefined }, "TOKEN_INVALID"],
  ["for another API", { aud: "elsewhere" }, "TOKEN_WRONG_AUDIENCE"],
  ["for several, us among them", { aud: ["elsewhere", "shop"] }, "taken"],
  ["for nobody", { aud: undefined }, "TOKEN_INVALID"],
  ["without an end", { exp: undefined }, "TOKEN_INVALID"],
  ["of nobody", { sub: undefined }, "TOKEN_INVALID"],
  ["of an empty name", { sub: "" }, "TOKEN_INVALID"],
  ["with an end that is no number", { exp: "soon" }, "TOKEN_INVALID"],
])("a token %s: %j", async (_, claims, expected) => {
  expect(await fate(await token({ claims: { ...claims } }))).toBe(expected);
});

test("a claim that is missing is named", async () => {
  for (const claim of ["exp", "sub", "iss", "aud"]) {
    const text = await token({ claims: { [claim]: undefined } });
    await expect(proven(text)).rejects.toMatchObject({ rawMessage: expect.stringContaining(`no claim "${claim}"`) });
  }
});

test("a token whose claims were changed after it was signed is refused, and so is one whose signature was", async () => {
  const [head = "", body = "", signature = ""] = (await token()).split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: "root" })).toString("base64url");
  expect(await fate(`${head}.${changed}.${signature}`)).toBe("TOKEN_INVALID");
  const flipped = (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
  expect(await fate(`${head}.${body}.${flipped}`)).toBe("TOKEN_INVALID");
  expect(await fate(`${head}.${body}.`)).toBe("TOKEN_INVALID");
});

test("a token of a key that is not in the set is refused, whatever name it gives the key", async () => {
  const stranger = await issuerKey();
  expect(await fate(await token({}, stranger))).toBe("TOKEN_INVALID");
  expect(await fate(await token({ header: { kid: key.kid } }, stranger))).toBe("TOKEN_INVALID");
  expect(await fate(await token({ header: { kid: undefined } }, stranger))).toBe("TOKEN_INVALID");
});

test("a token that does not name its key is tried with every key that fits", async () => {
  const other = await issuerKey();
  expect(await fate(await token({ header: { kid: undefined } }, other), { jwks: jwksOf(key, other) })).toBe("taken");
});

test("a token that nobody signed is refused", async () => {
  const claims = { iss: usual.issuer, aud: "shop", sub: "ada", exp: ago(-3_600) };
  const unsigned = new UnsecuredJWT(claims).encode();
  expect(await fate(unsigned)).toBe("TOKEN_INVALID");
  const none = Buffer.from('{"alg":"None","kid":"x"}').toString("base64url");
  expect(await fate(`${none}.${unsigned.split(".")[1]}.`)).toBe("TOKEN_INVALID");
  expect(() => bearerTokens({ ...usual, jwks: jwksOf(key), algorithms: ["ES256", "none"] })).toThrow(/"none"/);
});

test("a public key is never taken for a secret, in whatever form it is written", async () => {
  const rsa = await issuerKey("RS256");
  const asText = await exportSPKI((await importJWK(rsa.publicJwk, "RS256", { extractable: true })) as never);
  const claims = { iss: usual.issuer, aud: "shop", sub: "root", exp: ago(-3_600) };
  const hs256Secret = new Uint8Array(32).fill(7);
  for (const secret of [asText, JSON.stringify(rsa.publicJwk), rsa.publicJwk.n ?? ""]) {
    const head = Buffer.from(JSON.stringify({ alg: "HS256", kid: rsa.kid })).toString("base64url");
    const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const forged = `${head}.${body}.${createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url")}`;
    expect(await fate(forged, { jwks: jwksOf(rsa) })).toBe("TOKEN_INVALID");
    expect(await fate(forged, { jwks: jwksOf(rsa), hs256Secret })).toBe("TOKEN_INVALID");
  }
});

test("HS256 is taken only where there is a secret for it, and one of 32 bytes or more", async () => {
  const hs256Secret = new Uint8Array(32).fill(7);
  const claims = { iss: usual.issuer, aud: "shop", sub: "ada", exp: ago(-3_600) };
  const signed = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(hs256Secret);
  expect(await fate(signed)).toBe("TOKEN_INVALID");
  expect(await fate(signed, { hs256Secret })).toBe("taken");
  expect(await fate(signed, { jwks: jwksOf(key), hs256Secret })).toBe("taken");
  expect(await fate(await token(), { hs256Secret })).toBe("TOKEN_INVALID");
  expect(() => bearerTokens({ ...usual, hs256Secret: hs256Secret.subarray(1) })).toThrow(/31 bytes/);
  expect(() => bearerTokens({ ...usual, jwks: jwksOf(key), algorithms: ["HS256"] })).toThrow(/needs a secret/);
});

test("a secret in a JWKS is left out, and the log says so", async () => {
  const lines: string[] = [];
  const secret = new Uint8Array(32).fill(7);
  const oct = { kty: "oct", kid: "s", alg: "HS256", k: Buffer.from(secret).toString("base64url") };
  const claims = { iss: usual.issuer, aud: "shop", sub: "root", exp: ago(-3_600) };
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "s" }).sign(secret);
  const log = jsonLogger({ write: (line) => lines.push(line) });
  const jwks = { keys: [...jwksOf(key).keys, oct] };
  expect(await fate(forged, { jwks, log, hs256Secret: new Uint8Array(32).fill(9) })).toBe("TOKEN_INVALID");
  expect(lines.join()).toMatch(/no public key.*"s"/);
  expect(() => bearerTokens({ ...usual, jwks: { keys: [oct] } })).toThrow(/no public key/);
});

test("an algorithm that the settings leave out is refused", async () => {
  expect(await fate(await token(), { jwks: jwksOf(key), algorithms: ["RS256"] })).toBe("TOKEN_INVALID");
});

test.each([
  ["nothing", ""],
  ["one word", "x"],
  ["dots", ".."],
  ["no base64url", "%%%.%%%.%%%"],
  ["a header that is no object", "MQ.MQ.MQ"],
  ["two tokens", "a.b.c, Bearer a.b.c"],
  ["__proto__ in the header", `${Buffer.from('{"__proto__":{"alg":"ES256"}}').toString("base64url")}.e30.AA`],
  [
    "a header with an extension that is critical and unknown",
    `${Buffer.from('{"alg":"ES256","crit":["x"],"x":1}').toString("base64url")}.e30.AA`,
  ],
  ["bytes beyond ASCII", "ü.ü.ü"],
  ["an encrypted token", "a.b.c.d.e"],
])("%s instead of a token is refused as a token that is not right", async (_, garbage) => {
  expect(await fate(garbage)).toBe("TOKEN_INVALID");
});

test("a token that is too long is refused before anybody reads it", async () => {
  const long = await token({ claims: { story: "x".repeat(10_000) } });
  await expect(proven(long)).rejects.toMatchObject({ rawMessage: expect.stringContaining("longer than 8192") });
});

test("a refusal tells HTTP clients what is wrong, and nothing of what would have been right", async () => {
  const error = await proven(await token({ claims: { aud: "elsewhere" } })).catch((reason: ConnectError) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  const { metadata, rawMessage } = error as ConnectError;
  expect(metadata.get("www-authenticate")).toBe(
    `Bearer realm="heddle", error="invalid_token", error_description="the token is meant for another API: ask for one with this API's audience"`,
  );
  expect(`${rawMessage} ${metadata.get("www-authenticate")}`).not.toMatch(/shop|issuer\.example/);
});

test("a proven token is remembered by its exact bytes until it expires", async () => {
  const own = fakeClock();
  const prove = bearerTokens({ ...usual, clock: own, jwks: jwksOf(key) });
  const text = await tokenBy(key, { now: own.wall() });
  const first = await prove(callWith(`Bearer ${text}`));
  expect(prove(callWith(`Bearer ${text}`))).toBe(first); // at once, without a promise
  await expect(prove(callWith(`Bearer ${text}A`))).rejects.toMatchObject({ code: Code.Unauthenticated });
  await own.advance(3_600_000 + 5_000);
  await expect(prove(callWith(`Bearer ${text}`))).rejects.toMatchObject({ code: Code.Unauthenticated });
});

test("a key that says when it ends counts no longer", async () => {
  const own = fakeClock();
  const jwks = { keys: [{ ...key.publicJwk, exp: Math.floor(own.wall() / 1_000) + 60 }] };
  const prove = bearerTokens({ ...usual, clock: own, jwks });
  const wish = { now: own.wall() };
  expect(await prove(callWith(`Bearer ${await tokenBy(key, wish)}`))).toMatchObject({ subject: "ada" });
  await own.advance(60_000);
  const later = await tokenBy(key, { ...wish, claims: { jti: "2" } });
  await expect(prove(callWith(`Bearer ${later}`))).rejects.toMatchObject({ code: Code.Unauthenticated });
});
