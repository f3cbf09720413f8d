import { clearExtension, clone, create, createFileRegistry, type DescFile, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { field as fieldOption } from "../../gen/heddle/policy/v1/policy_pb.ts";

/** A service as it was before its requests named themselves: what it changes is sent once. */
export function unnamed<S extends DescService>(service: S): S {
  const file = clone(FileDescriptorProtoSchema, service.file.proto);
  for (const { field } of file.messageType) {
    for (const { name, options } of field) if (options && name === "request_id") clearExtension(options, fieldOption);
  }
  const set = create(FileDescriptorSetSchema, { file: [...importsOf(service.file), file] });
  const made = createFileRegistry(set).getService(service.typeName);
  if (made === undefined) throw new Error(`the contract has lost ${service.typeName}`);
  return made as S;
}

function importsOf({ dependencies }: DescFile): DescFile["proto"][] {
  const all = dependencies.flatMap((imported) => [...importsOf(imported), imported.proto]);
  return [...new Set(all)];
}
