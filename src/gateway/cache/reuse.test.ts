import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, test, vi } from "vitest";
import { openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";
import { scratchService } from "../../testing/scratch-contract.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const hour = { cache: { maxAge: durationFromMs(3_600_000) } };
/** To fetch, one who shows a tag wants no cache to answer, unless it says otherwise. */
const keptWillDo = { "cache-control": "max-age=3600" };

const service = scratchService(
  { name: "Kept", rule: { pattern: { case: "get", value: "/v1/kept/{name}" } }, policy: hour, readOnly: true },
  { name: "Asked", rule: { pattern: { case: "get", value: "/v1/asked/{name}" } }, readOnly: true },
);

type Everything = { name: string; smallInt: number };
type Scratch = Record<"kept" | "asked", (input: Partial<Everything>, options?: object) => Promise<Everything>>;

/** A gateway before a service that numbers its answers, and makes them as long as it is asked to. */
async function openScratch() {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  let smallInt = 0;
  const answer = ({ name }: Everything) => ({
    name: name.startsWith("long") ? name.repeat(500) : name,
    smallInt: ++smallInt,
  });
  own.use(await town.join("scratch", [[service, { kept: answer, asked: answer }]]));
  const gateway = own.use(await town.gateway());
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`${url}/v1/asked/x`),
    ({ status }) => status === 200,
  );
  smallInt = 0;
  const all = own.move();
  return { url, gateway, calls: () => smallInt, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("an answer that the contract lets be given again is, over REST, Connect, gRPC-Web and gRPC", async () => {
  await using scratch = await openScratch();
  for (const path of ["a", "a"]) {
    const rest = await fetch(`${scratch.url}/v1/kept/${path}`);
    expect(await rest.json()).toMatchObject({ name: "a", smallInt: 1 });
    expect(rest.headers.get("cache-control")).toBe("max-age=3600, public");
    expect(rest.headers.get("age")).toMatch(/^\d+$/);
  }
  for (const [protocol, transport] of transportsTo(scratch.gateway.port)) {
    const client = createClient(service, transport) as unknown as Scratch;
    expect([protocol, (await client.kept({ name: "a" })).smallInt]).toEqual([protocol, 1]);
  }
  expect(scratch.calls()).toBe(1);
  const anew = await fetch(`${scratch.url}/v1/kept/a`, { headers: { "cache-control": "no-cache" } });
  expect(await anew.json()).toMatchObject({ smallInt: 2 });
  expect(await (await fetch(`${scratch.url}/v1/kept/a`)).json()).toMatchObject({ smallInt: 2 });
});

test("methods that only read are asked by GET over Connect too, and caches are told of it", async () => {
  await using scratch = await openScratch();
  const told: Headers[] = [];
  const over = { baseUrl: scratch.url, httpVersion: "1.1", useHttpGet: true } as const;
  for (const useBinaryFormat of [true, false]) {
    const client = createClient(service, createConnectTransport({ ...over, useBinaryFormat })) as unknown as Scratch;
    const onHeader = (header: Headers) => told.push(header);
    expect((await client.kept({ name: "a" }, { onHeader })).smallInt).toBe(1);
  }
  for (const header of told) {
    expect(header.get("cache-control")).toBe("max-age=3600, public");
    expect(header.get("etag")).toMatch(/^W\//);
  }
  const rpc = `${scratch.url}/scratch.v1.ScratchService/Kept?connect=v1&encoding=json&message=${encodeURIComponent('{"name":"a"}')}`;
  const got = await fetch(rpc);
  expect(await got.json()).toEqual({ name: "a", smallInt: 1 });
  const again = await fetch(rpc, { headers: { ...keptWillDo, "if-none-match": got.headers.get("etag") ?? "" } });
  expect([again.status, await again.text(), again.headers.get("cache-control")]).toEqual([
    304,
    "",
    "max-age=3600, public",
  ]);
});

test("one who shows the tag of an answer is told over REST that it has not changed", async () => {
  await using scratch = await openScratch();
  const url = `${scratch.url}/v1/kept/a`;
  const got = await fetch(url, { headers: { origin: "https://shop.example" } });
  const etag = got.headers.get("etag") ?? "";
  const same = await fetch(url, {
    headers: { ...keptWillDo, "if-none-match": `"x", ${etag}`, origin: "https://shop.example" },
  });
  expect([same.status, await same.text(), same.headers.get("etag")]).toEqual([304, "", etag]);
  expect(same.headers.get("access-control-expose-headers")).toMatch(/ETag/);
  const other = await fetch(`${scratch.url}/v1/asked/a`, { headers: { "if-none-match": etag } });
  expect(other.status).toBe(200);
});

test("long answers are compressed for who accepts that, and HEAD tells what GET would", async () => {
  await using scratch = await openScratch();
  const url = `${scratch.url}/v1/kept/long`;
  const plain = await (await fetch(url, { headers: { "accept-encoding": "identity" } })).text();
  const headers = { "accept-encoding": "gzip;q=0.5, br" };
  const got = await fetch(url, { headers });
  expect(await got.text()).toBe(plain); // fetch has decompressed it
  expect([got.headers.get("content-encoding"), got.headers.get("vary")]).toEqual(["br", "Accept-Encoding"]);
  expect(Number(got.headers.get("content-length"))).toBeLessThan(plain.length / 4);
  const head = await fetch(url, { method: "HEAD", headers });
  for (const name of ["content-length", "content-encoding", "content-type", "etag", "vary", "cache-control"]) {
    expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)]);
  }
});

test("over Connect and gRPC the messages are compressed by the protocol, and by nobody once more", async () => {
  await using scratch = await openScratch();
  for (const [protocol, transport] of transportsTo(scratch.gateway.port)) {
    const client = createClient(service, transport) as unknown as Scratch;
    expect([protocol, (await client.asked({ name: "long" })).name.length]).toEqual([protocol, 2_000]);
  }
  const rpc = `${scratch.url}/scratch.v1.ScratchService/Asked?connect=v1&encoding=json&message=${encodeURIComponent('{"name":"long"}')}`;
  const got = await fetch(rpc, { headers: { "accept-encoding": "br;q=0.5" } });
  expect([got.headers.get("content-encoding"), got.headers.get("vary")]).toEqual(["br", "Accept-Encoding"]);
  expect(((await got.json()) as Everything).name).toHaveLength(2_000);
});
