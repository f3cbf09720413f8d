import { createRegistry, type DescFile, type DescService, type Registry } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";

/** Every type that the services' contracts know, and the standard details of errors: what an `Any` may hold in JSON. */
export function contractRegistry(services: readonly DescService[]): Registry {
  const files = new Set<DescFile>();
  addFile(files, file_google_rpc_error_details);
  for (const { file } of services) addFile(files, file);
  return createRegistry(...files);
}

function addFile(files: Set<DescFile>, file: DescFile): void {
  if (files.has(file)) return;
  files.add(file);
  for (const dependency of file.dependencies) addFile(files, dependency);
}
