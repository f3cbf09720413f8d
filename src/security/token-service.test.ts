import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError } from "@connectrpc/connect";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { errorReason } from "../call/errors.ts";
import { ServedCall } from "../call/served-call.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { bearerTokens } from "./bearer-tokens.ts";
import { jwksPath } from "./signing-keys.ts";
import { developmentTokens, ensureKeys, issueToken, rotateKeys } from "./token-service.ts";

const hourMs = 3_600_000;

/** A folder of keys, and a server that takes what is signed with them. */
function openFolder() {
  const dir = mkdtempSync(join(tmpdir(), "heddle-keys-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const clock = fakeClock();
  const keys = { folder: join(dir, "keys"), clock };
  const prove = bearerTokens({ jwks: jwksPath(keys.folder), ...developmentTokens, clock, log: silentLogger });
  const issue = (ttlMs = hourMs) =>
    issueToken(keys, { subject: "ada", scopes: ["a", "b"], audience: developmentTokens.audience, ttlMs });
  const fate = async (token: string) => {
    const about = { method: UserService.method.getUser, protocolName: "grpc", requestMethod: "POST" };
    const header = ["authorization", `Bearer ${token}`];
    try {
      const call = new ServedCall({ ...about, header, deadlineAt: undefined, arrivedAt: 0, now: clock.now });
      return (await prove(call))?.subject;
    } catch (reason) {
      return errorReason(ConnectError.from(reason))?.reason;
    }
  };
  const kids = () =>
    (JSON.parse(readFileSync(jwksPath(keys.folder), "utf8")).keys as { kid: string }[]).map(({ kid }) => kid);
  return { ...keys, keys, issue, fate, kids };
}

test("a token says who, what and for how long, and is taken by who knows the public keys", async () => {
  const { issue, fate, clock } = openFolder();
  const token = await issue();
  const now = clock.wall() / 1_000;
  expect(decodeJwt(token)).toMatchObject({ sub: "ada", scope: "a b", aud: "heddle", iat: now, exp: now + 3_600 });
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: "ES256", kid: expect.any(String) });
  expect(await fate(token)).toBe("ada");
  await clock.advance(hourMs + 5_000);
  expect(await fate(token)).toBe("TOKEN_EXPIRED");
});

test("the keys are made once, at first use, however many ask at once", async () => {
  const folder = openFolder();
  const own = { ...folder.keys, clock: systemClock };
  const issue = () => issueToken(own, { subject: "ada", scopes: [], audience: "heddle", ttlMs: hourMs });
  const tokens = await Promise.all([issue(), issue(), issue(), ensureKeys(own)]);
  const kids = tokens.filter((token) => token !== undefined).map((token) => decodeProtectedHeader(token).kid);
  expect(new Set(kids).size).toBe(1);
  expect(folder.kids()).toEqual([kids[0]]);
});

test("only its owner can read the private key, and the public file holds none", async () => {
  const { folder, issue } = openFolder();
  await issue();
  const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]);
  expect(Object.fromEntries(modes)).toEqual({ "jwks.json": "644", "signing-keys.json": "600" });
  const told = readFileSync(jwksPath(folder), "utf8");
  const [key] = JSON.parse(readFileSync(join(folder, "signing-keys.json"), "utf8")).keys;
  expect(key.privateJwk.d).toEqual(expect.any(String));
  expect(told).not.toContain(key.privateJwk.d);
  expect(JSON.parse(told).keys[0].d).toBeUndefined();
});

test("after a rotation the old key is taken until its last token has expired, and then by nobody", async () => {
  const { keys, clock, issue, fate, kids, folder } = openFolder();
  const [short, long] = [await issue(hourMs), await issue(2 * hourMs)];
  const old = decodeProtectedHeader(short).kid;
  const { kid, old: retired } = await rotateKeys(keys);
  expect(retired).toEqual([{ kid: old, until: clock.wall() + 2 * hourMs }]);
  expect(kids()).toEqual([kid, old]);
  const next = await issue();
  expect(decodeProtectedHeader(next).kid).toBe(kid);
  expect([await fate(short), await fate(long), await fate(next)]).toEqual(["ada", "ada", "ada"]);
  await clock.advance(hourMs + 5_000);
  expect([await fate(short), await fate(long)]).toEqual(["TOKEN_EXPIRED", "ada"]);
  expect(readFileSync(join(folder, "signing-keys.json"), "utf8").match(/"d":/g)).toHaveLength(1); // the new one's alone
  await clock.advance(hourMs + 60_000);
  await ensureKeys(keys);
  expect(kids()).toEqual([kid]);
});

test("an old key says in the file when its time is over, so that checkers drop it even if nobody touches the file", async () => {
  const { keys, clock, issue, folder } = openFolder();
  const old = await issue();
  await rotateKeys(keys);
  const { keys: told } = JSON.parse(readFileSync(jwksPath(folder), "utf8"));
  expect(told.map(({ exp }: { exp?: number }) => exp)).toEqual([undefined, (clock.wall() + hourMs + 60_000) / 1_000]);
  expect(decodeProtectedHeader(old).kid).toBe(told[1].kid);
});

test("a key that has signed nothing is dropped by a rotation at once", async () => {
  const { keys, kids } = openFolder();
  await ensureKeys(keys);
  const { kid, old } = await rotateKeys(keys);
  expect([old, kids()]).toEqual([[], [kid]]);
});

test("what a process that died has locked is unlocked", async () => {
  const { folder, issue } = openFolder();
  await issue();
  const path = join(folder, "lock");
  writeFileSync(path, "1");
  utimesSync(path, 0, 0);
  expect(await issue()).toEqual(expect.any(String));
});
