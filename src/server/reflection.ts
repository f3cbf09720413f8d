import { create, createRegistry, type DescEnum, type DescFile, type DescService } from "@bufbuild/protobuf";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflectionResponseSchema as AlphaResponseSchema,
  ServerReflection as ServerReflectionAlpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { bytesOf, noSourceInfo, type SourceInfo } from "./source-info.ts";

type Question = Pick<ServerReflectionRequest, "host" | "messageRequest">;
type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "errorResponse"; value: { errorCode: Code; errorMessage: string } };

/**
 * grpc.reflection for the services, from their descriptors: v1, and the v1alpha that older clients ask for. Files come
 * with the comments that they have or that are known of them, so that whoever asks can document the services.
 */
export function reflectionServices(
  services: readonly DescService[],
  sourceInfo: SourceInfo = noSourceInfo,
): readonly (readonly [DescService, object])[] {
  const answer = answers(services, sourceInfo);
  const v1: ServiceImpl<typeof ServerReflection> = {
    async *serverReflectionInfo(questions) {
      const sent = new Set<DescFile>();
      for await (const originalRequest of questions) {
        const messageResponse = answer(originalRequest, sent);
        const validHost = originalRequest.host;
        yield create(ServerReflectionResponseSchema, { validHost, originalRequest, messageResponse });
      }
    },
  };
  const v1alpha: ServiceImpl<typeof ServerReflectionAlpha> = {
    async *serverReflectionInfo(questions) {
      const sent = new Set<DescFile>();
      for await (const originalRequest of questions) {
        const messageResponse = answer(originalRequest as Question, sent);
        const validHost = originalRequest.host;
        yield create(AlphaResponseSchema, { validHost, originalRequest, messageResponse });
      }
    },
  };
  return [
    [ServerReflection, v1],
    [ServerReflectionAlpha, v1alpha],
  ];
}

/** Answers one question; `sent` holds the files already sent on this stream, which are not sent again. */
function answers(
  services: readonly DescService[],
  sourceInfo: SourceInfo,
): (question: Question, sent: Set<DescFile>) => Answer {
  const files = closureOf(services);
  const filesOf = filesWith(sourceInfo);
  const registry = createRegistry(...files.values());
  const extensions = [...registry].filter((desc) => desc.kind === "extension");
  const enumValues = enumValuesOf([...registry].filter((desc) => desc.kind === "enum"));
  return ({ messageRequest: asked }, sent) => {
    switch (asked.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: services.map(({ typeName: name }) => ({ name })) } };
      case "fileByFilename":
        return filesOf(files.get(asked.value), sent, `file ${asked.value}`);
      case "fileContainingSymbol": {
        // A symbol is a message, enum, service or extension, or a member of one: then its parent is looked up.
        const found = registry.get(asked.value) ?? registry.get(scopeOf(asked.value));
        return filesOf(found?.file ?? enumValues.get(asked.value), sent, `symbol ${asked.value}`);
      }
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = asked.value;
        const found = extensions.find((e) => e.extendee.typeName === containingType && e.number === extensionNumber);
        return filesOf(found?.file, sent, `extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType": {
        if (registry.getMessage(asked.value) === undefined)
          return failure(Code.NotFound, `${asked.value} is not known here`);
        const extensionNumber = extensions.filter((e) => e.extendee.typeName === asked.value).map((e) => e.number);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: asked.value, extensionNumber } };
      }
      default:
        return failure(Code.InvalidArgument, "the request asks nothing");
    }
  };
}

/** Values of enums by their full names: they are siblings of their enum, not its members. */
function enumValuesOf(enums: readonly DescEnum[]): Map<string, DescFile> {
  const named = ({ typeName, values, file }: DescEnum) =>
    values.map(({ name }) => [[scopeOf(typeName), name].filter(Boolean).join("."), file] as const);
  return new Map(enums.flatMap(named));
}

/** "a.b" of "a.b.C"; nothing of "C". */
function scopeOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/** The files of the services and all they import, by name; and the error details, which every service may answer with. */
function closureOf(services: readonly DescService[]): Map<string, DescFile> {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(add);
  };
  for (const service of services) add(service.file);
  add(file_google_rpc_error_details);
  return files;
}

/** Answers with a file and its imports, imports first, without those already sent. Each is serialised once. */
function filesWith(sourceInfo: SourceInfo) {
  const known = new Map<DescFile, Uint8Array>();
  const serialised = (file: DescFile): Uint8Array => {
    const bytes = known.get(file) ?? bytesOf(file.proto, sourceInfo(file) ?? file.proto.sourceCodeInfo);
    known.set(file, bytes);
    return bytes;
  };
  return (file: DescFile | undefined, sent: Set<DescFile>, asked: string): Answer => {
    if (file === undefined) return failure(Code.NotFound, `${asked} is not known here`);
    const fileDescriptorProto: Uint8Array[] = [];
    const walk = (one: DescFile): void => {
      if (sent.has(one)) return;
      sent.add(one);
      one.dependencies.forEach(walk);
      fileDescriptorProto.push(serialised(one));
    };
    sent.delete(file); // asked for by name, it is sent again
    walk(file);
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
  };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
