import { create, createFileRegistry, type DescService, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { MethodPolicySchema, method as methodOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";

/** A contract made on the spot, `asked.v1.AskService`: one idempotent method, `Ask`, text for text, with the policy. */
export function askService(policy: MessageInitShape<typeof MethodPolicySchema>): DescService {
  const options = create(MethodOptionsSchema, { idempotencyLevel: MethodOptions_IdempotencyLevel.IDEMPOTENT });
  setExtension(options, methodOption, create(MethodPolicySchema, policy));
  const text = ".google.protobuf.StringValue";
  const file = create(FileDescriptorProtoSchema, {
    name: "asked/v1/ask.proto",
    package: "asked.v1",
    syntax: "proto3",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [{ name: "AskService", method: [{ name: "Ask", options, inputType: text, outputType: text }] }],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_wrappers.proto);
  const service = registry.getService("asked.v1.AskService");
  if (service === undefined) throw new Error("the contract has lost its service");
  return service;
}
