import { expect, test } from "vitest";
import { peerKey, RequestValues } from "../../call/peer.ts";
import { addressSet } from "../../wire/addresses.ts";
import { withCallerAddress } from "./caller-address.ts";

/** What the gateway makes of a request from the peer with these headers. */
async function found(peer: string | undefined, headers: Record<string, string>, trusted?: readonly string[]) {
  const contextValues = new RequestValues(peer);
  const header = new Headers(headers);
  const handler = withCallerAddress(trusted && addressSet(trusted), async () => ({ status: 200 }));
  const signal = new AbortController().signal;
  await handler({ httpVersion: "2.0", method: "GET", url: "http://a/", header, body: {}, signal, contextValues });
  return { caller: contextValues.get(peerKey), told: header.get("x-forwarded-for"), header };
}

const proxies = ["10.0.0.0/8", "fd00::/8"];

test("what a peer says of itself is taken for nothing, unless it is a proxy that is trusted", async () => {
  const lies = { "x-forwarded-for": "1.1.1.1", "x-real-ip": "1.1.1.1", "x-forwarded-host": "bank", "x-other": "y" };
  for (const trusted of [undefined, proxies]) {
    const { caller, told, header } = await found("192.0.2.7", lies, trusted);
    expect([caller, told]).toEqual(["192.0.2.7", "192.0.2.7"]);
    expect([header.has("x-real-ip"), header.has("x-forwarded-host"), header.get("x-other")]).toEqual([
      false,
      false,
      "y",
    ]);
  }
});

test.each<[string, Record<string, string>, string, string]>([
  ["a proxy's word", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7", "192.0.2.7, 10.0.0.1"],
  ["two proxies", { "x-forwarded-for": "192.0.2.7, 10.0.0.2" }, "192.0.2.7", "192.0.2.7, 10.0.0.2, 10.0.0.1"],
  ["what the caller wrote before", { "x-forwarded-for": "1.1.1.1, 192.0.2.7" }, "192.0.2.7", "192.0.2.7, 10.0.0.1"],
  ["a caller within", { "x-forwarded-for": "10.0.0.9" }, "10.0.0.9", "10.0.0.9, 10.0.0.1"],
  ["nothing told", {}, "10.0.0.1", "10.0.0.1"],
  ["nobody named", { "x-forwarded-for": "unknown" }, "10.0.0.1", "10.0.0.1"],
  ["IPv6 with a port", { "x-forwarded-for": "[2001:db8::7]:4711" }, "2001:db8::7", "2001:db8::7, 10.0.0.1"],
  ["Forwarded", { forwarded: 'for=1.1.1.1, proto=https;For="192.0.2.7:80"' }, "192.0.2.7", "192.0.2.7, 10.0.0.1"],
  [
    "Forwarded beside",
    { forwarded: "for=1.1.1.1", "x-forwarded-for": "192.0.2.7" },
    "192.0.2.7",
    "192.0.2.7, 10.0.0.1",
  ],
])("behind a trusted proxy the caller is the last that is none: %s", async (_, headers, caller, told) => {
  expect(await found("10.0.0.1", headers, proxies)).toMatchObject({ caller, told });
  expect(await found("::ffff:10.0.0.1", headers, proxies)).toMatchObject({
    caller: caller === "10.0.0.1" ? expect.anything() : caller,
    told,
  });
});

test("a request that came by no network has no address, whatever it says", async () => {
  expect(await found(undefined, { "x-forwarded-for": "1.1.1.1" }, proxies)).toMatchObject({
    caller: undefined,
    told: null,
  });
});
