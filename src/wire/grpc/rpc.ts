import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { ConnectError, StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { Lifetime } from "../../base/lifetime.ts";
import type { Fields } from "../../call/fields.ts";
import type { ServedCall } from "../../call/served-call.ts";

/** Room for what has arrived and is not whole, or waits to be answered. */
export interface Room {
  /** So many bytes more are held, or fewer; what does not fit in is not counted, and the call ends with the error. */
  grown(bytes: number): ConnectError | undefined;
}

/** An RPC as the wire serves it. */
export interface Rpc {
  readonly method: DescMethod;
  /** The time a call has where its caller does not say, in milliseconds; `undefined`, endless. */
  readonly timeoutMs: number | undefined;
  /** The longest time a caller may ask for, in milliseconds. */
  readonly maxTimeoutMs: number;
  /** Whether its messages are RawMessages, both ways: nobody here reads them. By default they are decoded. */
  readonly isRaw?: boolean;
  /** The largest message that a caller may send, in bytes. */
  readonly maxRequestBytes: number;
  /** What requests have to fit in, with those of other calls. By default there is always room. */
  readonly room?: Room | undefined;
  /**
   * Lets the call in, once its request has arrived and before that is decoded, which is costly; or throws why not, as
   * `answer` does. By default every call is let in.
   */
  admit?(call: ServedCall): void;
  /**
   * Answers the call: with a message, or with an AsyncIterable of them where the method streams answers. Rejects with
   * what went wrong; a ConnectError is told to the caller, anything else is not.
   */
  answer(call: ServedCall): Promise<unknown>;
}

/** RPCs by their paths, "/shop.user.v1.UserService/GetUser". */
export type Rpcs = Pick<ReadonlyMap<string, Rpc>, "get">;

/** One sending of a call. */
export interface Attempt {
  readonly method: DescMethod;
  /** The request: a message, or an AsyncIterable of what messages are made from. */
  readonly message: Message | AsyncIterable<unknown>;
  /** Whether answers are to be RawMessages. By default they are decoded. A request may be either, whatever answers are. */
  readonly isRaw?: boolean;
  /** Header fields of the request beyond gRPC's own. */
  readonly fields: Fields;
  /** How long the server may take, in milliseconds; `undefined`, endlessly. */
  readonly timeoutMs: number | undefined;
  /** When it is canceled, so is the attempt: it fails with that reason. */
  readonly lifetime: Lifetime;
  /** How long the request of a unary call is, in bytes: told by who sends it, where that knows at once. */
  sentBytes?: number;
  /** Called once when a stream that had begun has ended: with nothing if well, or because its reader left. */
  readonly onStreamEnd?: (reason?: unknown) => void;
}

/** What attempts may differ in, whoever sends them. */
export interface SendOptions {
  /** Name of the encoding that requests are compressed with. By default they are not. */
  readonly compression?: string;
  /** The largest message either way, in bytes. Default 4 MiB. */
  readonly maxMessageBytes?: number;
}

/** Sends an attempt and answers it; errors are ConnectErrors that know how far the request got. */
export type Send = (attempt: Attempt) => Promise<UnaryResponse | StreamResponse>;
