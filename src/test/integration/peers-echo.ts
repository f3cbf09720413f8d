import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";

/** The one message of the echo service. */
export type Echo = Message<"peers.v1.Echo"> & { data: Uint8Array; text: string; count: number };
type EchoSchema = GenMessage<Echo>;

/** A call of every shape: `unary`, `serve`, `collect` and `talk`. */
export const EchoService = made() as unknown as GenService<{
  unary: { methodKind: "unary"; input: EchoSchema; output: EchoSchema };
  serve: { methodKind: "server_streaming"; input: EchoSchema; output: EchoSchema };
  collect: { methodKind: "client_streaming"; input: EchoSchema; output: EchoSchema };
  talk: { methodKind: "bidi_streaming"; input: EchoSchema; output: EchoSchema };
}>;

/** The schema of its message. */
export const echoSchema = EchoService.method.unary.input;

function made(): DescService {
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const { BYTES, STRING, INT32 } = FieldDescriptorProto_Type;
  const types = { data: BYTES, text: STRING, count: INT32 };
  const field = Object.entries(types).map(([name, type], i) => ({ name, jsonName: name, number: i + 1, label, type }));
  const types2 = { inputType: ".peers.v1.Echo", outputType: ".peers.v1.Echo" };
  const method = [
    { name: "Unary", ...types2 },
    { name: "Serve", ...types2, serverStreaming: true },
    { name: "Collect", ...types2, clientStreaming: true },
    { name: "Talk", ...types2, clientStreaming: true, serverStreaming: true },
  ];
  const file = create(FileDescriptorProtoSchema, {
    name: "peers/v1/peers.proto",
    package: "peers.v1",
    syntax: "proto3",
    messageType: [{ name: "Echo", field }],
    service: [{ name: "EchoService", method }],
  });
  const service = createFileRegistry(file, () => undefined).getService("peers.v1.EchoService");
  if (service === undefined) throw new Error("the echo contract has lost its service");
  return service;
}

/** The error that "fail" is answered with. */
export const reason = { reason: "THING_NOT_FOUND", domain: "peers.v1", metadata: { thing: "7" } };

/** Calls told to wait that were told to stop waiting. */
export const stopped = { count: 0 };

/** The service, by Connect: our server's and connect-node's. */
export const echo: ServiceImpl<typeof EchoService> = {
  async unary(request, context) {
    if (request.text === "fail") throw failure();
    if (request.text === "wait") await untilStopped(context);
    for (const name of ["plain", "binary-bin"]) {
      const value = context.requestHeader.get(name);
      if (value === null) continue;
      context.responseHeader.set(`head-${name}`, value);
      context.responseTrailer.set(`tail-${name}`, value);
    }
    return request;
  },
  async *serve(request, context) {
    for (let i = 0; i < request.count; i++) yield { data: request.data, count: i };
    if (request.text === "fail") throw failure();
    if (request.text === "wait") await untilStopped(context);
  },
  async collect(requests) {
    let [count, messages] = [0, 0];
    for await (const { data } of requests) {
      count += data.length;
      messages++;
    }
    return { count, text: String(messages) };
  },
  async *talk(requests) {
    for await (const request of requests) {
      yield request;
      if (request.text === "last") return; // though the peer may have more to say
    }
  },
};

function failure(): ConnectError {
  return new ConnectError("no thing 7: ünï", Code.NotFound, undefined, [{ desc: ErrorInfoSchema, value: reason }]);
}

async function untilStopped({ signal }: HandlerContext): Promise<void> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  stopped.count++;
  signal.throwIfAborted();
}
