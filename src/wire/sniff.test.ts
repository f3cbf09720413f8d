import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { sniff } from "./sniff.ts";

/** A port that only sniffs; tells what was handed on, and what could be read then. */
async function openSniffer() {
  const clock = fakeClock();
  const handedOn: { version: 1 | 2; text: string }[] = [];
  const server = createServer((socket) => {
    sniff(socket, clock, (version) => {
      const seen = { version, text: "" };
      handedOn.push(seen);
      socket.on("data", (chunk) => {
        seen.text += chunk;
      });
      socket.resume();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1", noDelay: true });
  client.on("error", () => {}); // being cut off is what some of the tests are about
  await new Promise((resolve) => client.once("connect", resolve));
  return {
    clock,
    client,
    handedOn,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function sendByteByByte(client: Socket, text: string): Promise<void> {
  for (const byte of text) {
    client.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.each([
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 2],
  ["GET / HTTP/1.1\r\n\r\n", 1],
  ["POST / HTTP/1.1\r\n\r\n", 1],
  ["PROPFIND / HTTP/1.1\r\n\r\n", 1],
] as const)("%j is told by its first bytes, all at once or one by one, and none is lost", async (text, version) => {
  for (const send of [sendByteByByte, (client: Socket) => client.write(text)]) {
    await using sniffer = await openSniffer();
    await send(sniffer.client, text);
    await vi.waitFor(() => expect(sniffer.handedOn).toEqual([{ version, text }]));
  }
});

test("a connection on which nobody speaks is closed after 10 s, and never handed on", async () => {
  await using sniffer = await openSniffer();
  sniffer.client.write("PR");
  const closed = new Promise((resolve) => sniffer.client.once("close", resolve));
  await vi.waitUntil(() => sniffer.clock.pending === 1);
  await sniffer.clock.advance(10_000);
  await closed;
  expect(sniffer.handedOn).toEqual([]);
});

test("a connection that breaks before it has spoken leaves no timer", async () => {
  await using sniffer = await openSniffer();
  await vi.waitUntil(() => sniffer.clock.pending === 1);
  sniffer.client.resetAndDestroy();
  await vi.waitUntil(() => sniffer.clock.pending === 0);
  expect(sniffer.handedOn).toEqual([]);
});
