import type { DescMethod, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  createEndStreamSerialization,
  endStreamFlag,
  errorToJsonBytes,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus, trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { headers } from "../../../call/headers.ts";
import { RawMessage } from "../../../call/raw-message.ts";
import { gather, WholeBody } from "../../../call/whole-body.ts";
import { compressed, decompressed, maxMessageBytes } from "../../../wire/grpc/messages.ts";
import { shownError, type WebCall, type WebProtocol } from "./web-call.ts";
import { streamedAnswer, type WebEnding } from "./web-stream.ts";

/** The protocols whose calls pass through, each by the content type of its requests in binary. */
export class WebProtocols {
  readonly #unary: WebProtocol;
  readonly #streaming: WebProtocol;
  readonly #grpcWeb: WebProtocol;

  /** `registry` has the types that details of errors are shown in. */
  constructor(registry: Registry) {
    this.#unary = connectUnary(registry);
    this.#streaming = connectStreaming(registry);
    this.#grpcWeb = grpcWeb;
  }

  /** What a request of the content type calls the method by; `undefined` for what has to be read, as JSON has. */
  of(contentType: string, { methodKind }: DescMethod): WebProtocol | undefined {
    switch (contentType) {
      case "application/proto":
        return methodKind === "unary" ? this.#unary : undefined;
      case "application/connect+proto":
        return methodKind === "unary" ? undefined : this.#streaming;
      case "application/grpc-web":
      case "application/grpc-web+proto":
        return this.#grpcWeb;
      default:
        return undefined;
    }
  }
}

/** https://connectrpc.com/docs/protocol#unary-rpcs */
function connectUnary(registry: Registry): WebProtocol {
  return {
    name: "connect",
    encoding: "content-encoding",
    acceptEncoding: "accept-encoding",
    timeout: headers.connectTimeout,
    async answer(web) {
      const { call } = web;
      const { responseHeader: header } = call;
      try {
        const answer = await web.make(await unaryRequest(web));
        call.end();
        header.set("content-type", "application/proto");
        return await unaryAnswer(web, 200, (answer as RawMessage).bytes);
      } catch (reason) {
        call.end(reason);
        const error = shownError(reason);
        header.set("content-type", "application/json");
        mergeNonProtocolHeaders(header, error.metadata);
        return unaryAnswer(web, codeToHttpStatus(error.code), errorToJsonBytes(error, { registry }));
      }
    },
  };
}

async function unaryRequest({ body, compression: { request } }: WebCall): Promise<RawMessage> {
  const bytes = await gather(body, maxMessageBytes);
  if (bytes === undefined)
    throw new ConnectError(`a message of more than ${maxMessageBytes} bytes`, Code.ResourceExhausted);
  return new RawMessage(request === null ? bytes : await decompressed(bytes, request, maxMessageBytes));
}

async function unaryAnswer(web: WebCall, status: number, plain: Uint8Array): Promise<UniversalServerResponse> {
  const { responseHeader, responseTrailer } = web.call;
  const by = web.compression.response;
  const { bytes, isCompressed } = await compressed(plain, by ?? undefined);
  if (isCompressed && by !== null) responseHeader.set("content-encoding", by.name);
  const header = trailerMux(responseHeader, responseTrailer);
  header.set("content-length", String(bytes.length));
  return { status, header, body: new WholeBody(bytes) };
}

/** https://connectrpc.com/docs/protocol#streaming-rpcs */
function connectStreaming(registry: Registry): WebProtocol {
  const serialization = createEndStreamSerialization({ registry });
  const ending: WebEnding = {
    contentType: "application/connect+proto",
    encoding: "connect-content-encoding",
    flags: endStreamFlag,
    end: (metadata, error) => serialization.serialize(error === undefined ? { metadata } : { metadata, error }),
  };
  return {
    name: "connect",
    encoding: "connect-content-encoding",
    acceptEncoding: "connect-accept-encoding",
    timeout: headers.connectTimeout,
    answer: (web) => streamedAnswer(web, ending),
  };
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
const grpcWeb: WebProtocol = {
  name: "grpc-web",
  encoding: "grpc-encoding",
  acceptEncoding: "grpc-accept-encoding",
  timeout: headers.grpcTimeout,
  answer: (web) =>
    streamedAnswer(web, {
      contentType: "application/grpc-web+proto",
      encoding: "grpc-encoding",
      flags: trailerFlag,
      end(own, error) {
        const trailer = new Headers({ "grpc-status": "0" });
        own.forEach((value, name) => void trailer.append(name, value));
        return trailerSerialize(error === undefined ? trailer : setTrailerStatus(trailer, error));
      },
    }),
};
