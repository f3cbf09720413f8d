import type { DescService } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { echo, echoContract, isRouted, openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** Clients of a contract that no type knows. */
type Echo = Record<
  "one" | "many" | "sum" | "chat",
  (input: unknown) => Promise<{ text: string }> & AsyncIterable<{ text: string }>
>;

const echoService: DescService = echoContract();

test("calls of every shape pass through in every protocol, of a contract that the gateway was not built with", async () => {
  await using town = await openTown();
  await using _echo = await town.join("echo", [[echoService, echo]]);
  await using gateway = await town.gateway();
  await routed(gateway.port, "/echo.v1.EchoService/One");
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    const client = createClient(echoService, transport) as unknown as Echo;
    expect([protocol, (await client.one({ text: "a" })).text]).toEqual([protocol, "a"]);
    expect([protocol, await texts(client.many({ text: "abc" }))]).toEqual([protocol, ["a", "b", "c"]]);
    expect([protocol, (await client.sum(notes("a", "b"))).text]).toEqual([protocol, "ab"]);
    expect([protocol, await texts(client.chat(notes("a", "b")))]).toEqual([protocol, ["a!", "b!"]]);
  }
});

test("a stream ends upstream when its reader leaves, in every protocol and over REST", async () => {
  await using town = await openTown();
  let open = 0;
  const endless = {
    async *watchOrder(_: unknown, { signal }: { signal: AbortSignal }) {
      open++;
      yield { order: { id: "o-1" } };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      open--;
    },
  };
  await using _orders = await town.join("order", [[OrderService, endless]]);
  await using gateway = await town.gateway();
  await routed(gateway.port, "/shop.order.v1.OrderService/GetOrder");
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    const leaving = new AbortController();
    const { signal } = leaving;
    const read = async () => {
      for await (const { order } of createClient(OrderService, transport).watchOrder({ id: "o-1" }, { signal })) {
        expect([protocol, order?.id, open]).toEqual([protocol, "o-1", 1]);
        leaving.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: Code.Canceled });
    await until(
      () => open,
      (count) => count === 0,
    );
  }
  const leaving = new AbortController();
  const lines = await fetch(`http://127.0.0.1:${gateway.port}/v1/orders/o-1:watch`, { signal: leaving.signal });
  const first = await lines.body?.getReader().read();
  expect(JSON.parse(new TextDecoder().decode(first?.value))).toMatchObject({ order: { id: "o-1" } });
  leaving.abort();
  await until(
    () => open,
    (count) => count === 0,
  );
});

test("an endless stream ends when the gateway drains, and its reader is told to ask another", async () => {
  await using town = await openTown();
  const endless = {
    async *watchOrder(_: unknown, { signal }: { signal: AbortSignal }) {
      yield { order: { id: "o-1" } };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  await using _orders = await town.join("order", [[OrderService, endless]]);
  const gateway = await town.gateway({ drainMs: 5_000 });
  await routed(gateway.port, "/shop.order.v1.OrderService/GetOrder");
  const [, [, transport]] = transportsTo(gateway.port);
  const read = async () => {
    for await (const _ of createClient(OrderService, transport).watchOrder({ id: "o-1" })) void gateway.drain();
  };
  await expect(read()).rejects.toMatchObject({ code: Code.Unavailable });
  await gateway.drained;
});

/** Waits until the gateway knows the RPC. */
async function routed(port: number, path: string): Promise<void> {
  await until(() => fetch(`http://127.0.0.1:${port}${path}`), isRouted);
}

async function texts(answers: AsyncIterable<{ text: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of answers) all.push(text);
  return all;
}

async function* notes(...all: readonly string[]) {
  for (const text of all) yield { text };
}
