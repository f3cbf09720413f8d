import type { DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { UnaryResponse } from "@connectrpc/connect";
import { type Fields, fieldOf, headersOf } from "../../call/fields.ts";

/** The answer to a unary call, as Connect has it; its Headers are made when they are first asked for. */
export class UnaryAnswer implements UnaryResponse {
  readonly stream = false;
  readonly method: DescMethodUnary;
  readonly message: Message;
  readonly #head: Fields;
  readonly #tail: Fields | undefined;
  #header: Headers | undefined;
  #trailer: Headers | undefined;

  /** `head` and `tail` are the fields in front of the message and behind it. */
  constructor(method: DescMethodUnary, message: Message, head: Fields, tail: Fields | undefined) {
    this.method = method;
    this.message = message;
    this.#head = head;
    this.#tail = tail;
  }

  get service(): DescService {
    return this.method.parent;
  }

  /** The fields behind the message, without Headers being made of them. */
  get tail(): Fields {
    return this.#tail ?? [];
  }

  get header(): Headers {
    this.#header ??= headersOf(this.#head);
    return this.#header;
  }

  /** One field behind the message, without making Headers of all of them. */
  trailerField(name: string): string | undefined {
    return this.#trailer === undefined ? fieldOf(this.#tail ?? [], name) : (this.#trailer.get(name) ?? undefined);
  }

  get trailer(): Headers {
    this.#trailer ??= headersOf(this.#tail ?? []);
    return this.#trailer;
  }
}
