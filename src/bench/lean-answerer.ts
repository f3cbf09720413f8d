import { type AddressInfo, createServer } from "node:net";
import type { Stream } from "../http2/stream.ts";
import { Pipe } from "../wire/own-pipe.ts";
import { answerFrame } from "./sample.ts";

const head = Object.freeze([":status", "200", "content-type", "application/grpc+proto"]);
const end = Object.freeze(["grpc-status", "0"]);
const frame = answerFrame();

/** Answers every call with the same bytes, whatever was asked: what clients are measured against. */
class LeanAnswerer extends Pipe {
  headers(): void {}

  data(stream: Stream, _bytes: Buffer, start: number, stop: number, endStream: boolean): void {
    this.http2.consumed(stream, stop - start);
    if (!endStream) return;
    this.http2.sendHeaders(stream, head, false);
    this.http2.sendData(stream, frame, false);
    this.http2.sendTrailers(stream, end);
  }

  trailers(): void {}
  writable(): void {}
  closed(): void {}
  reset(): void {}
  protected gone(): void {}
  protected ticked(): void {}
}

/** Opens a port that answers so; resolves with its number. */
export function openLeanServer(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => void new LeanAnswerer(socket, { role: "server" }));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
