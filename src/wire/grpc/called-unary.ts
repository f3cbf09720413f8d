import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Fields } from "../../call/fields.ts";
import { Called, type CalledParts } from "./called.ts";
import { decode } from "./messages.ts";
import type { Attempt } from "./rpc.ts";
import { UnaryAnswer } from "./unary-answer.ts";

/** One attempt of a unary call. */
export class CalledUnary extends Called {
  #message: Uint8Array | Promise<Uint8Array> | undefined;

  constructor(parts: CalledParts, attempt: Attempt) {
    super(parts, attempt);
    this.answer.catch(() => {}); // whoever waits for it is told
  }

  writable(): void {}

  protected began(): void {}

  protected arrived(bytes: number): void {
    this.parts.http2.consumed(this.parts.stream, bytes);
  }

  protected received(message: Uint8Array | Promise<Uint8Array>): void {
    if (this.#message !== undefined) throw new ConnectError("more than one message of an answer", Code.Unimplemented);
    this.#message = message;
    if (message instanceof Promise) message.catch(() => {}); // told when the answer has ended
  }

  protected succeeded(head: Fields, tail: Fields | undefined): void {
    const message = this.#message;
    if (message === undefined) throw new ConnectError("an answer without a message", Code.Unimplemented);
    if (message instanceof Promise)
      message
        .then((bytes) => this.#answer(bytes, head, tail))
        .catch((reason) => this.failed(ConnectError.from(reason, Code.Internal)));
    else this.#answer(message, head, tail);
  }

  protected failed(error: ConnectError): void {
    this.answered.reject(error);
  }

  #answer(bytes: Uint8Array, head: Fields, tail: Fields | undefined): void {
    const { isRaw } = this.attempt;
    const method = this.attempt.method as DescMethodUnary;
    this.answered.resolve(new UnaryAnswer(method, decode(method.output, bytes, isRaw), head, tail));
  }
}
