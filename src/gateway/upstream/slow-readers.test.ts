import { get, type IncomingMessage } from "node:http";
import type { IncomingHttpHeaders } from "node:http2";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../../test/suites/gateway-parts.ts";
import { type OpenRooms, roomPlaces } from "../../test/suites/room-parts.ts";
import { openHttp2, type RawHttp2 } from "../../testing/raw-client.ts";
import { standingStill } from "../../testing/standing-still.ts";
import { engines } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // real servers, on a machine that may be busy

const places = Object.entries(engines).flatMap(([engineName, engine]) =>
  roomPlaces.map(([place, open]) => [`${place}, ${engineName}`, engine, open] as const),
);
const formats = ["application/x-ndjson", "text/event-stream", "application/json"];

/** 20 MiB: more than the sockets and windows on the way hold. */
const count = 20;
const path = `/v1/rooms/loud:follow?count=${count}`;

/** An answer that is not read yet. */
interface Unread extends AsyncDisposable {
  readonly type: string | undefined;
  readonly body: Readable;
}

async function overHttp1(address: string, accept: string): Promise<Unread> {
  const request = get(`http://${address}${path}`, { headers: { accept }, agent: false });
  const body = await new Promise<IncomingMessage>((resolve, reject) =>
    request.once("response", resolve).once("error", reject),
  );
  body.on("error", () => {}); // cut off by the test
  return { type: body.headers["content-type"], body, [Symbol.asyncDispose]: async () => void request.destroy() };
}

async function overHttp2(address: string, accept: string): Promise<Unread> {
  const http2: RawHttp2 = await openHttp2(`http://${address}`);
  const body = http2.session.request({ ":path": path, accept });
  body.on("error", () => {}); // cut off by the test
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => body.once("response", resolve));
  return { type: headers["content-type"], body, [Symbol.asyncDispose]: () => http2[Symbol.asyncDispose]() };
}

describe.each(places)("streams at %s", (_, engine, open) => {
  let hall: OpenRooms;
  beforeAll(async () => {
    hall = await open(engine);
  });
  afterAll(() => hall?.[Symbol.asyncDispose]());

  describe.each([
    ["HTTP/1.1", overHttp1],
    ["HTTP/2", overHttp2],
  ] as const)("over %s", (__, ask) => {
    test.each(formats)("as %s: a reader that stops slows the service, and misses nothing", async (accept) => {
      await using answer = await ask(hall.address, accept);
      expect(answer.type).toBe(accept);
      const sent = await standingStill(() => hall.rooms.sent);
      expect(sent).toBeGreaterThan(0);
      expect(sent).toBeLessThan(count * 0.75);
      const end = accept === "text/event-stream" ? 1 : 0; // of type "end"
      expect(await messagesIn(answer.body)).toBe(count + end);
    });

    test.each(formats)("as %s: a reader that leaves ends the call, though it had stopped reading", async (accept) => {
      const answer = await ask(hall.address, accept);
      await standingStill(() => hall.rooms.sent);
      hall.rooms.left.length = 0;
      await answer[Symbol.asyncDispose]();
      await until(
        () => hall.rooms.left.length,
        (left) => left === 1,
      );
    });
  });
});

/** How often a whole message ends in the body, in whichever pieces it comes. */
async function messagesIn(body: Readable): Promise<number> {
  let messages = 0;
  for await (const piece of body) messages += String(piece).split("}").length - 1;
  return messages;
}
