import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../base/log.ts";
import { errorReason } from "../call/errors.ts";
import { ServedCall } from "../call/served-call.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type IssuerKey, issuerKey, tokenBy } from "../testing/token-issuer.ts";
import { defaultEngine } from "../wire/engines.ts";
import { bearerTokens } from "./bearer-tokens.ts";

const [first, second] = [await issuerKey(), await issuerKey("RS256")];
const jwksOf = (...keys: readonly IssuerKey[]) => JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) });

/** Asks with a new token of the key, or the one given: "taken", or the reason why not. */
function asking(jwks: string, clock = fakeClock()) {
  const prove = bearerTokens({ jwks, issuer: "https://issuer.example", audience: "shop", clock, log: silentLogger });
  let count = 0;
  const fate = async (by: IssuerKey, text?: string): Promise<string> => {
    const own = text ?? (await tokenBy(by, { now: clock.wall(), claims: { jti: String(count++) } }));
    const about = { method: UserService.method.getUser, protocolName: "grpc", requestMethod: "POST" };
    const call = {
      ...about,
      header: ["authorization", `Bearer ${own}`],
      deadlineAt: undefined,
      arrivedAt: 0,
      now: clock.now,
    };
    try {
      await prove(new ServedCall(call));
      return "taken";
    } catch (reason) {
      return errorReason(ConnectError.from(reason))?.reason ?? String(reason);
    }
  };
  return { clock, fate };
}

/** An HTTP server that tells keys, or whatever else it is told to answer. */
async function openProvider(...keys: readonly IssuerKey[]) {
  const answer = { status: 200, text: jwksOf(...keys), asked: 0 };
  const server = await defaultEngine.listen({
    host: "127.0.0.1",
    port: 0,
    async handler({ url }) {
      answer.asked++;
      const status = url.endsWith("/elsewhere") ? 200 : answer.status;
      const body = (async function* () {
        yield new TextEncoder().encode(answer.text);
      })();
      return { status, header: new Headers({ location: "/elsewhere" }), body };
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return Object.assign(answer, { url: `http://127.0.0.1:${server.port}/jwks.json` });
}

test("the keys of a URL are asked for once, however many tokens come at once", async () => {
  const provider = await openProvider(first);
  const { fate } = asking(provider.url);
  expect(await Promise.all([fate(first), fate(first), fate(first)])).toEqual(["taken", "taken", "taken"]);
  expect(await fate(first)).toBe("taken");
  expect(provider.asked).toBe(1);
});

test("a key that is not known is asked for at once, and both keys count together", async () => {
  const provider = await openProvider(first);
  const { fate, clock } = asking(provider.url);
  const old = await tokenBy(first, { now: clock.wall() });
  expect(await fate(first, old)).toBe("taken");
  provider.text = jwksOf(first, second);
  await clock.advance(10_000);
  expect(await fate(second)).toBe("taken");
  expect(await fate(first)).toBe("taken");
  expect(await fate(first, old)).toBe("taken");
  expect(provider.asked).toBe(2);
});

test("a new key is asked for, too, where tokens do not name theirs", async () => {
  const provider = await openProvider(first);
  const { fate, clock } = asking(provider.url);
  const other = await issuerKey();
  expect(await fate(first)).toBe("taken");
  provider.text = jwksOf(other);
  await clock.advance(10_000);
  expect(await fate(other, await tokenBy(other, { now: clock.wall(), header: { kid: undefined } }))).toBe("taken");
});

test("who makes up keys does not make us hammer the URL", async () => {
  const provider = await openProvider(first);
  const { fate, clock } = asking(provider.url);
  await fate(first);
  for (let i = 0; i < 50; i++) expect(await fate(second)).toBe("TOKEN_INVALID");
  expect(provider.asked).toBe(1);
  await clock.advance(10_000);
  await Promise.all([fate(second), fate(second)]);
  expect(provider.asked).toBe(2);
});

test("a key that was taken out counts no longer once the keys have come of age, nor do its tokens that were proven", async () => {
  const provider = await openProvider(first, second);
  const { fate, clock } = asking(provider.url);
  const old = await tokenBy(first, { now: clock.wall() });
  expect(await fate(first, old)).toBe("taken");
  provider.text = jwksOf(second);
  await clock.advance(1_200_000);
  expect(await fate(first, old)).toBe("TOKEN_INVALID");
  expect(await fate(second)).toBe("taken");
});

test("keys of age are asked for behind the back of the calls, which go on with those there are", async () => {
  const provider = await openProvider(first);
  const { fate, clock } = asking(provider.url);
  const old = await tokenBy(first, { now: clock.wall() });
  await fate(first, old);
  await clock.advance(600_000);
  expect(await fate(first, old)).toBe("taken");
  await expect.poll(() => provider.asked).toBe(2);
});

test("keys stay while the URL is away or talks nonsense", async () => {
  const provider = await openProvider(first);
  const { fate, clock } = asking(provider.url);
  expect(await fate(first)).toBe("taken");
  for (const broken of [
    { status: 500 },
    { status: 302, text: jwksOf(first, second) },
    { status: 200, text: "<html>" },
    { text: "{}" },
    { text: "x".repeat(2_000_000) },
  ]) {
    Object.assign(provider, broken);
    await clock.advance(1_300_000);
    expect([broken.status, await fate(first)]).toEqual([broken.status, "taken"]);
    expect(await fate(second)).toBe("TOKEN_INVALID");
  }
});

test("while no keys could be had nobody is called false: the service is UNAVAILABLE, and tries again a second later", async () => {
  const provider = await openProvider(first);
  provider.status = 503;
  const { fate, clock } = asking(provider.url);
  expect(await fate(first)).toBe("TOKEN_KEYS_UNAVAILABLE");
  expect(await fate(first)).toBe("TOKEN_KEYS_UNAVAILABLE");
  expect(provider.asked).toBe(1);
  provider.status = 200;
  await clock.advance(1_000);
  expect(await fate(first)).toBe("taken");
});

test("where nobody listens at the URL the service is UNAVAILABLE", async () => {
  const { fate } = asking("http://127.0.0.1:9/jwks.json");
  expect(await fate(first)).toBe("TOKEN_KEYS_UNAVAILABLE");
});

function openFile(text: string) {
  const dir = mkdtempSync(join(tmpdir(), "heddle-keys-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "jwks.json");
  writeFileSync(path, text);
  const replace = (other: string) => {
    writeFileSync(`${path}.new`, other);
    renameSync(`${path}.new`, path);
  };
  return { path, replace };
}

test("a file of keys is read again when it changes: at once for a new key, within a second for one that is gone", async () => {
  const file = openFile(jwksOf(first));
  const { fate, clock } = asking(file.path);
  const old = await tokenBy(first, { now: clock.wall() });
  expect(await fate(first, old)).toBe("taken");
  file.replace(jwksOf(first, second));
  expect(await fate(second)).toBe("taken");
  expect(await fate(first, old)).toBe("taken");
  file.replace(jwksOf(second));
  await clock.advance(1_000);
  expect(await fate(first, old)).toBe("TOKEN_INVALID");
});

test("a file that is half written, or gone, leaves the keys as they were", async () => {
  const file = openFile(jwksOf(first));
  const { fate, clock } = asking(file.path);
  expect(await fate(first)).toBe("taken");
  file.replace('{"keys":[');
  await clock.advance(1_000);
  expect(await fate(first)).toBe("taken");
  rmSync(file.path);
  await clock.advance(1_000);
  expect(await fate(first)).toBe("taken");
});

test("a file that is not there makes the service UNAVAILABLE until it comes", async () => {
  const file = openFile(jwksOf(first));
  rmSync(file.path);
  const { fate } = asking(file.path);
  expect(await fate(first)).toBe("TOKEN_KEYS_UNAVAILABLE");
  file.replace(jwksOf(first));
  expect(await fate(first)).toBe("taken");
});
