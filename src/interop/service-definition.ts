import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import { methodName } from "../call/method.ts";

/** A contract as grpc-js describes services; its methods are named as in Connect clients: `getUser`. */
export type GrpcServiceDefinition<S extends DescService> = {
  readonly [K in keyof S["method"]]: MethodDefinition<
    MessageShape<S["method"][K]["input"]>,
    MessageShape<S["method"][K]["output"]>
  >;
};

/**
 * What `makeClientConstructor` and `Server.addService` of grpc-js take, made from a contract. Where a message is given,
 * a plain object with some of its fields will do, as in Connect.
 */
export function serviceDefinitionOf<S extends DescService>(service: S): GrpcServiceDefinition<S> {
  const methods = service.methods.map((method) => [method.localName, definitionOf(method)] as const);
  return Object.fromEntries(methods) as unknown as GrpcServiceDefinition<S>; // the methods are S's own
}

function definitionOf(method: DescMethod) {
  return {
    path: `/${methodName(method)}`,
    originalName: method.name,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: serializer(method.input),
    requestDeserialize: (bytes: Uint8Array) => fromBinary(method.input, bytes),
    responseSerialize: serializer(method.output),
    responseDeserialize: (bytes: Uint8Array) => fromBinary(method.output, bytes),
  };
}

function serializer<M extends DescMessage>(schema: M): (message: MessageInitShape<M>) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, create(schema, message)); // `create` hands on what is a message already
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}
