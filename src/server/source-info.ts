import { readFile } from "node:fs/promises";
import { create, type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type SourceCodeInfo,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";

/**
 * Contracts with their comments: a FileDescriptorSet with source info, its path or its bytes. Generated code has lost
 * them. `buf build --as-file-descriptor-set -o descriptors.binpb` writes such a file.
 */
export type Descriptors = string | URL | Uint8Array;

/** The comments in a file, if they are known of the very same file. */
export type SourceInfo = (file: DescFile) => SourceCodeInfo | undefined;

/** Comments of nothing. */
export const noSourceInfo: SourceInfo = () => undefined;

/** Reads the comments. A server is worth more than its comments: what cannot be read is told of, and done without. */
export async function readSourceInfo(descriptors: Descriptors | undefined, log?: Logger): Promise<SourceInfo> {
  if (descriptors === undefined) return noSourceInfo;
  try {
    return sourceInfoIn(descriptors instanceof Uint8Array ? descriptors : await readFile(descriptors));
  } catch (reason) {
    const problem = messageOf(reason);
    log?.warn("descriptors cannot be read: the contracts go without comments", { problem });
    return noSourceInfo;
  }
}

/**
 * The comments of a FileDescriptorSet. They are tied to the order of declarations, so a file that differs in anything
 * else, such as a build of yesterday, has none.
 */
function sourceInfoIn(set: Uint8Array): SourceInfo {
  const files = new Map(fromBinary(FileDescriptorSetSchema, set).file.map((file) => [file.name, file]));
  return ({ proto }) => {
    const file = files.get(proto.name);
    if (file?.sourceCodeInfo === undefined || !areSame(file, proto)) return undefined;
    const location = file.sourceCodeInfo.location.filter(
      ({ leadingComments, trailingComments }) => leadingComments !== "" || trailingComments !== "",
    );
    return location.length > 0 ? create(SourceCodeInfoSchema, { location }) : undefined;
  };
}

function areSame(a: FileDescriptorProto, b: FileDescriptorProto): boolean {
  return Buffer.compare(bytesOf(a, undefined), bytesOf(b, undefined)) === 0;
}

/** The serialised file with this source info, or with none. */
export function bytesOf(file: FileDescriptorProto, sourceCodeInfo: SourceCodeInfo | undefined): Uint8Array {
  const { sourceCodeInfo: _, ...rest } = file;
  return toBinary(FileDescriptorProtoSchema, { ...rest, ...(sourceCodeInfo && { sourceCodeInfo }) });
}
