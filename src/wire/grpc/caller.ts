import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { formatGrpcTimeout } from "../../call/deadline.ts";
import { type Fields, fieldOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import { isStream } from "../../call/stream.ts";
import type { Connection } from "../../http2/connection.ts";
import type { Called } from "./called.ts";
import { CalledStreaming } from "./called-streaming.ts";
import { CalledUnary } from "./called-unary.ts";
import { acceptedEncodings } from "./compressions.ts";
import { compressed, compressionNamed, type Encoded, encode, maxMessageBytes, sendMessage } from "./messages.ts";
import type { Attempt, SendOptions } from "./rpc.ts";
import { contentType } from "./status.ts";

/** Where gRPC calls leave, and how. */
export interface CallerOptions extends SendOptions {
  readonly clock: Clock;
  readonly http2: Connection;
  readonly scheme: "http" | "https";
  readonly authority: string;
}

/** Opens streams for gRPC calls on one connection. */
export class Caller {
  readonly #options: CallerOptions;
  /** What each method's requests begin with: the same every time, so that its block is encoded once. */
  readonly #heads = new Map<DescMethod, Fields>();

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /**
   * Sends the attempt, whose one message is `encoded`; `undefined` if the peer has no room for another stream now. Throws,
   * and sends nothing, why the attempt was canceled if it was by now; or a RangeError or a TypeError for header fields
   * that the peer does not take or no one may send.
   */
  call(attempt: Attempt, encoded: Encoded | undefined, onOver: () => void): Called | undefined {
    const { http2, clock, compression, maxMessageBytes: most = maxMessageBytes } = this.#options;
    if (attempt.lifetime.aborted) throw ConnectError.from(attempt.lifetime.reason, Code.Canceled);
    const stream = http2.openStream(this.#headOf(attempt), false, moreOf(attempt));
    if (stream === undefined) return undefined;
    const parts = { http2, clock, stream, onOver, maxMessageBytes: most };
    if (encoded !== undefined) {
      const called =
        attempt.method.methodKind === "unary" ? new CalledUnary(parts, attempt) : new CalledStreaming(parts, attempt);
      stream.owner = called;
      sendMessage(http2, stream, encoded, true);
      return called;
    }
    const called = new CalledStreaming(parts, attempt, compressionNamed(compression));
    stream.owner = called;
    void called.send(attempt.message as AsyncIterable<unknown>);
    return called;
  }

  #headOf({ method, fields }: Attempt): Fields {
    if (fieldOf(fields, "user-agent") !== undefined) return this.#made(method, []);
    const known = this.#heads.get(method);
    if (known !== undefined) return known;
    const made = Object.freeze(this.#made(method, ["user-agent", userAgent]));
    this.#heads.set(method, made);
    return made;
  }

  #made(method: DescMethod, agent: Fields): Fields {
    const { scheme, authority, compression } = this.#options;
    const request = [":method", "POST", ":scheme", scheme, ":path", `/${methodName(method)}`, ":authority", authority];
    const encoding = compression === undefined ? [] : ["grpc-encoding", compression];
    const accept = ["grpc-accept-encoding", acceptedEncodings];
    return [...request, "te", "trailers", "content-type", contentType, ...accept, ...encoding, ...agent];
  }
}

/** The request's bytes, where it is one message. Throws, or rejects, with a ConnectError if it cannot be sent. */
export function encodedRequest(
  { method, message }: Attempt,
  options: SendOptions,
): Encoded | undefined | Promise<Encoded> {
  if (isStream(message)) return undefined;
  const bytes = encode(method.input, message as Message, options.maxMessageBytes ?? maxMessageBytes);
  return compressed(bytes, compressionNamed(options.compression));
}

function moreOf({ timeoutMs, fields }: Attempt): Fields | undefined {
  if (timeoutMs === undefined) return fields.length === 0 ? undefined : fields;
  const told = [headers.grpcTimeout, formatGrpcTimeout(timeoutMs)];
  return fields.length === 0 ? told : [...told, ...fields];
}

const userAgent = "grpc-node-heddle";
