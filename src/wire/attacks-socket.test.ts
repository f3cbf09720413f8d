import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { openAttacker, setting } from "../testing/attacker.ts";
import { frame, requestBlock, word } from "../testing/http2-frames.ts";
import type { HttpHandler } from "./engine.ts";
import { Serving } from "./own-serving.ts";

const { headers, ping, windowUpdate } = FrameType;
const piece = new Uint8Array(64 * 1024);
const answerEndlessly: HttpHandler = async () => ({
  status: 200,
  body: (async function* () {
    for (;;) yield piece;
  })(),
});

test("a peer that does not read and passes a limit is let go with its socket, read or not", async () => {
  const inFlight = new Watchable(0);
  const tcp = createServer(
    (socket) => new Serving(socket, { handler: answerEndlessly, scheme: "http", clock: systemClock, inFlight }),
  );
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const connections = () => new Promise((resolve) => tcp.getConnections((_, count) => resolve(count)));
  await using attacker = await openAttacker((tcp.address() as { readonly port: number }).port, {
    settings: setting(4, 2 ** 31 - 1),
  });
  attacker.socket.pause();
  const ask = frame(headers, Flag.endHeaders | Flag.endStream, 1, requestBlock);
  await attacker.send(frame(windowUpdate, 0, 0, word(2 ** 31 - 65_536)), ask);
  await attacker.send(...Array.from({ length: 2_000 }, () => frame(ping, 0, 0, Buffer.alloc(8))));
  await expect.poll(() => inFlight.value).toBe(0); // the limit of pings has ended the request
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
  tcp.close();
}, 15_000);
