import type { ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Due } from "../../base/deadlines.ts";
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

/** Messages one after the other, each behind its length; each of the others is one message, whole. */
const envelopes = /^application\/(grpc|connect\+)/;

type Pieces = AsyncIterator<Uint8Array>;
type Next = IteratorResult<Uint8Array>;

/** The body of a request as it arrives, counted: read once, like any other. Ended by an error where its owner says so. */
export class ArrivingBody implements AsyncIterable<Uint8Array>, Pieces, Due {
  /** When it is to have arrived. */
  dueAt = 0;
  /** Why its owner has ended it. */
  problem: ConnectError | undefined;
  isLate = false;
  readonly #owner: BodyOwner;
  readonly #pieces: Pieces;
  /** Of a stream, what has arrived of the message that is not whole yet. */
  readonly #unfinished: UnfinishedMessage | undefined;
  #heldBytes = 0;
  #isReading = false;
  #fail: ((reason: ConnectError) => void) | undefined;

  constructor({ header, body }: UniversalServerRequest, owner: BodyOwner) {
    this.#owner = owner;
    this.#pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    if (envelopes.test(header.get("content-type") ?? "")) this.#unfinished = new UnfinishedMessage();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next> {
    if (this.problem === undefined && !this.#isReading && this.#unfinished === undefined) {
      this.problem = this.#owner.begun(this);
      this.#isReading = this.problem === undefined;
    }
    if (this.problem !== undefined) return Promise.reject(this.problem);
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#pieces.next().then(
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
    return (await this.#pieces.return?.(value)) ?? { done: true, value };
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
    const bytes = this.#unfinished === undefined ? piece.length : this.#unfinished.after(piece) - this.#heldBytes;
    const problem = this.#owner.grown(bytes);
    if (problem === undefined) this.#heldBytes += bytes;
    else this.#refuse(problem);
  }

  #refuse(problem: ConnectError): void {
    this.problem = problem;
    this.#over();
    this.#fail?.(problem);
    this.#pieces.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
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
