import { type AddressInfo, createServer } from "node:net";
import { Flag, FrameType, preface } from "../http2/frame.ts";
import { LeanWire } from "./lean-wire.ts";
import { answerTemplate } from "./templates.ts";

const template = answerTemplate();

/**
 * Answers every call with the same bytes, whatever was asked: what clients are measured against. It heeds no window:
 * the answers to 128 calls are less than half of the smallest there is, and clients open it as they read.
 */
class LeanAnswerer extends LeanWire {
  #isFirst = true;
  #prefaceLeft = preface.length;

  /** As `receive`, past the preface. */
  read(bytes: Buffer): void {
    const skipped = Math.min(this.#prefaceLeft, bytes.length);
    this.#prefaceLeft -= skipped;
    this.receive(bytes, skipped);
  }

  protected told(type: number, flags: number, id: number): void {
    if (type > FrameType.headers || (flags & Flag.endStream) === 0) return;
    this.put(this.#isFirst ? template.first : template.next, id);
    this.#isFirst = false;
  }
}

/** Opens a port that answers so; resolves with its number. */
export function openLeanServer(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    const answerer = new LeanAnswerer(socket);
    socket.on("data", (bytes: Buffer) => answerer.read(bytes)).on("error", () => {}); // a client that has been measured
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
