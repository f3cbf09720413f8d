import type { IncomingMessage, ServerResponse } from "node:http";
import { type Gatherable, joined } from "../call/whole-body.ts";

/** What is left of a body when its answer is out is thrown away up to here; who sends more is cut off. */
const maxUnreadBytes = 1024 * 1024;

/**
 * The body of an HTTP/1.1 request: read piece by piece, or gathered whole, which costs a small one a fraction. What its
 * reader leaves is read when the answer is out: until then the next request cannot be seen behind it. Reading only a
 * part does not end the connection either, by which the answer has yet to go.
 */
export class Http1Body implements Gatherable {
  readonly #request: IncomingMessage;
  #pieces: NodeJS.AsyncIterator<Uint8Array> | undefined;

  constructor(request: IncomingMessage, response: Pick<ServerResponse, "once">) {
    this.#request = request;
    response.once("finish", () => {
      if (!request.readableEnded) void this.#discard().catch(() => {}); // the peer has left: nothing is left of the body
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#pieces ??= this.#request.iterator({ destroyOnReturn: false });
    return this.#pieces;
  }

  gather(maxBytes: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => new Gathering(this.#request, { maxBytes, resolve, reject }));
  }

  async #discard(): Promise<void> {
    await this.#pieces?.return?.();
    let left = maxUnreadBytes;
    this.#request.on("data", (piece: Uint8Array) => {
      left -= piece.length;
      if (left < 0) this.#request.destroy();
    });
  }
}

interface Told {
  readonly maxBytes: number;
  readonly resolve: (bytes: Uint8Array | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/** One body being gathered. */
class Gathering {
  readonly #request: IncomingMessage;
  readonly #told: Told;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(request: IncomingMessage, told: Told) {
    this.#request = request;
    this.#told = told;
    request.on("data", this.#piece).on("end", this.#ended).on("error", this.#broke).on("close", this.#gone);
  }

  readonly #piece = (piece: Uint8Array): void => {
    this.#size += piece.length;
    this.#pieces.push(piece);
    if (this.#size <= this.#told.maxBytes) return;
    this.#leave();
    this.#request.pause();
    this.#told.resolve(undefined);
  };

  readonly #ended = (): void => {
    this.#leave();
    this.#told.resolve(joined(this.#pieces, this.#size));
  };

  readonly #broke = (reason: unknown): void => {
    this.#leave();
    this.#told.reject(reason);
  };

  readonly #gone = (): void => this.#broke(new Error("the body broke off"));

  #leave(): void {
    const request = this.#request;
    request.off("data", this.#piece).off("end", this.#ended).off("error", this.#broke).off("close", this.#gone);
  }
}
