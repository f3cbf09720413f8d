import { readFile } from "node:fs/promises";
import { createFileRegistry, type FileRegistry, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { messageOf } from "../../base/message-of.ts";
import { UsageError } from "../command.ts";

/** The contracts by which payloads are read: this project's, or those of a file that `buf build` has written. */
export async function readContracts(file?: string): Promise<FileRegistry> {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(file ?? heddleDescriptors)));
  } catch (reason) {
    throw new UsageError(`${file ?? heddleDescriptors.pathname} cannot be read as descriptors: ${messageOf(reason)}`);
  }
}

/** The payload for people: what it is, or why it cannot be told. */
export type Payload = { readonly json: JsonValue } | { readonly why: string };

/** Reads the payload by its contract. */
export function payloadOf({ data, dataContentType, dataSchema }: Event, contracts: FileRegistry): Payload {
  try {
    if (dataContentType.startsWith("application/json")) return { json: JSON.parse(new TextDecoder().decode(data)) };
    const schema = contracts.getMessage(dataSchema);
    if (schema === undefined) return { why: `no contract here has ${dataSchema}: name yours with --descriptors` };
    return { json: toJson(schema, fromBinary(schema, data), { registry: contracts }) };
  } catch (reason) {
    return { why: `its data is no ${dataSchema}: ${messageOf(reason)}` };
  }
}
