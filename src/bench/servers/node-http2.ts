import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { answerFrame, streamLength, updateFrame } from "../sample.ts";

const frame = answerFrame();
const update = updateFrame();

/** What any server over `node:http2` pays at least: no codec, no routing, constant answers, an echo of the bytes. */
export async function open(): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const path = String(headers[":path"]);
    if (path.endsWith("/Echo")) stream.pipe(stream);
    else stream.resume().on("end", () => void (path.endsWith("/WatchOrder") ? sendAll(stream) : stream.end(frame)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function sendAll(stream: ServerHttp2Stream): Promise<void> {
  for (let i = 0; i < streamLength; i++) if (!stream.write(update)) await once(stream, "drain");
  stream.end();
}
