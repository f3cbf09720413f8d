import { createHash } from "node:crypto";
import { create, createFileRegistry, type DescService, fromBinary, type Registry, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";
import { messageOf } from "../../base/message-of.ts";
import { bytesOf } from "../../server/source-info.ts";

/** A service as one of its instances describes it. */
export interface Contract {
  readonly service: DescService;
  /** What people call the service whose instance said so: "user". */
  readonly owner: string;
  /** Equal for equal descriptors, with comments or without: replicas of one version may differ in that. */
  readonly digest: string;
  /** Equal for equal comments; unset where there are none. */
  readonly comments?: string;
}

/** An instance describes a service in a way that nobody can call it by. */
export class DescriptorError extends Error {
  override readonly name = "DescriptorError";
}

/** Descriptors of files, collected until no import is missing. */
export class FileCollection {
  readonly #files = new Map<string, FileDescriptorProto>();

  /** Adds a serialised FileDescriptorProto. The first of a name stays. */
  add(bytes: Uint8Array): void {
    const file = readFile(bytes);
    if (this.#files.has(file.name)) return;
    this.#files.set(file.name, file);
  }

  get size(): number {
    return this.#files.size;
  }

  /** Names of files that are imported and not there. */
  missing(): readonly string[] {
    const imported = new Set([...this.#files.values()].flatMap((file) => file.dependency));
    return [...imported].filter((name) => !this.#files.has(name));
  }

  /** The service as these files describe it. Throws DescriptorError if they do not, or contradict themselves. */
  contract(service: string, owner: string): Contract {
    const found = this.#registry().getService(service);
    if (found === undefined) throw new DescriptorError(`the descriptors say nothing of ${service}`);
    return { service: found, owner, digest: this.#digest(), ...this.#comments() };
  }

  #registry(): Registry {
    try {
      return createFileRegistry(create(FileDescriptorSetSchema, { file: this.#importsFirst() }));
    } catch (reason) {
      throw new DescriptorError(`the descriptors do not fit together: ${messageOf(reason)}`);
    }
  }

  #importsFirst(): FileDescriptorProto[] {
    const sorted = new Set<FileDescriptorProto>();
    const visit = (file: FileDescriptorProto, importers: readonly string[]): void => {
      if (sorted.has(file)) return;
      if (importers.includes(file.name)) throw new DescriptorError(`${file.name} imports itself`);
      for (const name of file.dependency) {
        const imported = this.#files.get(name);
        if (imported !== undefined) visit(imported, [...importers, file.name]);
      }
      sorted.add(file);
    };
    for (const file of this.#files.values()) visit(file, []);
    return [...sorted];
  }

  #digest(): string {
    return digestOf(this.#byName().map((file) => bytesOf(file, undefined)));
  }

  #comments(): Pick<Contract, "comments"> {
    const infos = this.#byName().flatMap(({ sourceCodeInfo }) => sourceCodeInfo ?? []);
    const said = infos.map((info) =>
      info.location.filter((location) => location.leadingComments || location.trailingComments),
    );
    const bytes = said.map((location) => toBinary(SourceCodeInfoSchema, create(SourceCodeInfoSchema, { location })));
    return said.flat().length === 0 ? {} : { comments: digestOf(bytes) };
  }

  #byName(): readonly FileDescriptorProto[] {
    return [...this.#files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url");
}

function readFile(bytes: Uint8Array): FileDescriptorProto {
  try {
    return fromBinary(FileDescriptorProtoSchema, bytes);
  } catch (reason) {
    throw new DescriptorError(`a descriptor cannot be read: ${messageOf(reason)}`);
  }
}
