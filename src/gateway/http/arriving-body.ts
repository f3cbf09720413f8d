import type { ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Due } from "../../base/deadlines.ts";
import { type Gatherable, gather } from "../../call/whole-body.ts";
import { isEnveloped } from "./enveloped.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** Who counts bodies, and says when there are too many, or too much in them. */
export interface BodyOwner {
  /** Somebody begins to read it. */
  begun(body: ArrivingBody): ConnectError | undefined;
  /** It is not read any more. */
  ended(body: ArrivingBody): void;
  /** So many bytes more are held of it, or fewer. */
  grown(bytes: number): ConnectError | undefined;
  /** What to say of one that takes too long. */
  late(): ConnectError;
}

type Pieces = AsyncIterator<Uint8Array>;
type Next = IteratorResult<Uint8Array>;

/**
 * The body of a request as it arrives, counted: read once, like any other. Ended by an error where its owner says so. One that
 * says to be shorter than 100,000 bytes is counted by what it says, and can be had whole by the shortest way there is.
 */
export class ArrivingBody implements Gatherable, Pieces, Due {
  /** When it is to have arrived. */
  dueAt = 0;
  /** Why its owner has ended it. */
  problem: ConnectError | undefined;
  isLate = false;
  readonly #owner: BodyOwner;
  readonly #source: AsyncIterable<Uint8Array>;
  #pieces: Pieces | undefined;
  /** What it says of its length, where that is little. */
  readonly #saidBytes: number | undefined;
  /** Of a stream, what has arrived of the message that is not whole yet. */
  readonly #unfinished: UnfinishedMessage | undefined;
  #heldBytes = 0;
  #isReading = false;
  #fail: ((reason: ConnectError) => void) | undefined;

  constructor({ header, body }: UniversalServerRequest, owner: BodyOwner) {
    this.#owner = owner;
    this.#source = body as AsyncIterable<Uint8Array>;
    const said = header.get("content-length") ?? "";
    if (/^\d{1,5}$/.test(said)) this.#saidBytes = Number(said);
    if (isEnveloped(header)) this.#unfinished = new UnfinishedMessage();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  gather(maxBytes: number): Promise<Uint8Array | undefined> {
    const saidBytes = this.#saidBytes;
    if (saidBytes === undefined) return gather({ [Symbol.asyncIterator]: () => this }, maxBytes);
    this.#begin();
    if (this.problem === undefined) this.#grow(saidBytes);
    if (this.problem !== undefined) return Promise.reject(this.problem);
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      const over = () => this.#over();
      gather(this.#source, Math.min(maxBytes, saidBytes)).finally(over).then(resolve, reject);
    });
  }

  next(): Promise<Next> {
    this.#begin();
    if (this.problem !== undefined) return Promise.reject(this.problem);
    this.#pieces ??= this.#source[Symbol.asyncIterator]();
    const pieces = this.#pieces;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      pieces.next().then(
        (next) => {
          this.#arrived(next);
          resolve(next); // does nothing where it was refused
        },
        (reason) => {
          this.#over();
          reject(reason);
        },
      );
    });
  }

  async return(value?: unknown): Promise<Next> {
    this.#over();
    return (await this.#pieces?.return?.(value)) ?? { done: true, value };
  }

  /** It took too long. */
  expire(): void {
    this.isLate = true;
    this.#refuse(this.#owner.late());
  }

  /** The answer has begun: nobody needs what has arrived any more, unless it is a stream, which goes on. */
  done(): void {
    this.#stopReading();
    if (this.#unfinished === undefined) this.#letGo();
  }

  #arrived(next: Next): void {
    if (next.done) this.#over();
    else if (this.problem === undefined) this.#hold(next.value);
  }

  #hold(piece: Uint8Array): void {
    this.#grow(this.#unfinished === undefined ? piece.length : this.#unfinished.after(piece) - this.#heldBytes);
  }

  #begin(): void {
    if (this.problem !== undefined || this.#isReading || this.#unfinished !== undefined) return;
    this.problem = this.#owner.begun(this);
    this.#isReading = this.problem === undefined;
  }

  #grow(bytes: number): void {
    const problem = this.#owner.grown(bytes);
    if (problem === undefined) this.#heldBytes += bytes;
    else this.#refuse(problem);
  }

  #refuse(problem: ConnectError): void {
    this.problem = problem;
    this.#over();
    this.#fail?.(problem);
    this.#pieces?.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
  }

  /** Nothing more comes of it. What is whole is held until the answer. */
  #over(): void {
    this.#stopReading();
    if (this.#unfinished !== undefined || this.problem !== undefined) this.#letGo();
  }

  #letGo(): void {
    this.#owner.grown(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  #stopReading(): void {
    if (this.#isReading) this.#owner.ended(this);
    this.#isReading = false;
  }
}
