import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** The one message of the echo service. */
export type Echo = Message<"peers.v1.Echo"> & { data: Uint8Array; text: string; count: number };
type EchoSchema = GenMessage<Echo>;

/**
 * A call of every shape: `unary`, `serve`, `collect` and `talk`. What `text` says decides what becomes of it, in every
 * language alike: `echo.ts` is the model of the others.
 */
export const EchoService = made() as unknown as GenService<{
  unary: { methodKind: "unary"; input: EchoSchema; output: EchoSchema };
  serve: { methodKind: "server_streaming"; input: EchoSchema; output: EchoSchema };
  collect: { methodKind: "client_streaming"; input: EchoSchema; output: EchoSchema };
  talk: { methodKind: "bidi_streaming"; input: EchoSchema; output: EchoSchema };
}>;

/** The schema of its message. */
export const echoSchema = EchoService.method.unary.input;

/** The details of the error that "fail" is answered with. */
export const reason = { reason: "THING_NOT_FOUND", domain: "peers.v1", metadata: { thing: "7" } };

/** Its message: with what gRPC has to escape on the wire. */
export const failureText = "no thing 7: ünï";

/** Metadata that calls are made with and answered by: "head-" and "tail-" before each name. */
export const metadataNames = ["plain", "binary-bin"] as const;

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
