import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";

/** Sends bytes to a port of this machine, in the pieces given, and reads whatever comes back until it closes. */
export async function exchange(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connectTcp({ host: "127.0.0.1", port, noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}); // being cut off is an answer too
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return text;
}

/** An answer over HTTP/2, read to its end, or how its stream was reset. */
export interface Http2Answer {
  readonly status: number;
  readonly text: string;
  readonly resetCode: number;
}

/** An HTTP/2 connection of its own, without a client's comfort. */
export interface RawHttp2 extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  get(path: string): Promise<Http2Answer>;
}

/** Connects over HTTP/2, with or without TLS. */
export async function openHttp2(origin: string, options: { readonly ca?: string } = {}): Promise<RawHttp2> {
  const session = connectHttp2(origin, options);
  session.on("error", () => {});
  await new Promise<void>((resolve, reject) => session.once("connect", () => resolve()).once("error", reject));
  return {
    session,
    get(path) {
      const stream = session.request({ ":path": path });
      return new Promise((resolve) => {
        let [status, text] = [0, ""];
        stream.on("response", (headers) => {
          status = Number(headers[":status"]);
        });
        stream.on("data", (chunk) => {
          text += chunk;
        });
        stream.on("error", () => {}); // told by its reset code
        stream.on("close", () => resolve({ status, text, resetCode: stream.rstCode ?? 0 }));
      });
    },
    async [Symbol.asyncDispose]() {
      session.destroy();
    },
  };
}
