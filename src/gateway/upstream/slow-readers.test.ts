import { randomBytes } from "node:crypto";
import { get } from "node:http";
import type { Readable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { until } from "../../test/suites/gateway-parts.ts";
import { roomPlaces } from "../../test/suites/room-parts.ts";
import { openHttp2, type RawHttp2 } from "../../testing/raw-client.ts";
import { engines } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 30_000 }); // real servers, on a machine that may be busy

const places = Object.entries(engines).flatMap(([engineName, engine]) =>
  roomPlaces.map(([place, open]) => [`${place}, ${engineName}`, engine, open] as const),
);
const formats = ["application/x-ndjson", "text/event-stream", "application/json"];

/** A text that nothing on the way can make shorter, and how often it is asked for: 200 MB in all. */
const text = randomBytes(6_000).toString("base64url");
const count = 25_000;

const isEvent = /"text"/g;

/** An answer that is not read yet. */
interface Unread extends AsyncDisposable {
  readonly type: string | undefined;
  readonly body: Readable;
}

async function overHttp1(address: string, path: string, accept: string): Promise<Unread> {
  const request = get(`http://${address}${path}`, { headers: { accept }, agent: false });
  const body = await new Promise<import("node:http").IncomingMessage>((resolve, reject) =>
    request.once("response", resolve).once("error", reject),
  );
  body.on("error", () => {}); // cut off by the test
  return { type: body.headers["content-type"], body, [Symbol.asyncDispose]: async () => void request.destroy() };
}

async function overHttp2(address: string, path: string, accept: string): Promise<Unread> {
  const http2: RawHttp2 = await openHttp2(`http://${address}`);
  const body = http2.session.request({ ":path": path, accept });
  body.on("error", () => {}); // cut off by the test
  const headers = await new Promise<import("node:http2").IncomingHttpHeaders>((resolve) =>
    body.once("response", resolve),
  );
  return { type: headers["content-type"], body, [Symbol.asyncDispose]: () => http2[Symbol.asyncDispose]() };
}

describe.each(places)("streams at %s", (_, engine, open) => {
  describe.each([
    ["HTTP/1.1", overHttp1],
    ["HTTP/2", overHttp2],
  ] as const)("over %s", (__, ask) => {
    test.each(formats)(
      "as %s: a reader that stops slows the service down, and one that goes on misses nothing",
      async (accept) => {
        await using hall = await open(engine);
        await using answer = await ask(hall.address, `/v1/rooms/hall:follow?count=${count / 10}&text=${text}`, accept);
        expect(answer.type).toBe(accept);
        const sent = await still(() => hall.rooms.sent);
        expect(sent).toBeGreaterThan(0);
        expect(sent).toBeLessThan(count / 12);
        expect(await eventsIn(answer.body)).toBe(count / 10);
      },
    );

    test.each(formats)("as %s: a reader that leaves ends the call, though it had stopped reading", async (accept) => {
      await using hall = await open(engine);
      const answer = await ask(hall.address, `/v1/rooms/hall:follow?count=${count}&text=${text}`, accept);
      await still(() => hall.rooms.sent);
      await answer[Symbol.asyncDispose]();
      await until(
        () => hall.rooms.left.length,
        (left) => left === 1,
      );
    });
  });
});

async function eventsIn(body: Readable): Promise<number> {
  let events = 0;
  let end = "";
  for await (const piece of body) {
    const text = end + String(piece);
    events += text.match(isEvent)?.length ?? 0;
    end = text.slice(Math.max(text.lastIndexOf('"text"') + 6, text.length - 5));
  }
  return events;
}

/** A number, when it has stood still for a while. */
async function still(number: () => number): Promise<number> {
  let last = Number.NaN;
  for (let same = 0; same < 5; same = number() === last ? same + 1 : 0) {
    last = number();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return last;
}
