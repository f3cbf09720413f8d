import { readFile } from "node:fs/promises";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { messageOf } from "../../base/message-of.ts";
import { type Command, UsageError } from "../command.ts";

/** Services that others wrote, and that come along when their contracts are imported. */
const infrastructure = /^(?:grpc|google|buf|envoy|xds|heddle)\./;

/** `heddle openapi`: what the gateway tells of contracts at /openapi.json, without a gateway. */
export const openapi: Command = {
  name: "openapi",
  about: "Print contracts as an OpenAPI document",
  more:
    "The file is what `buf build --as-file-descriptor-set -o FILE` writes. A service is a name, or the beginning of one:\n" +
    '"shop.user.v1". Without any, all are told of but those of grpc, google and heddle. A gateway tells the same of what\n' +
    "it routes, at /openapi.json and, for people, at /docs.",
  words: "<file> [service…]",
  options: {
    title: { type: "string", about: 'what the API is called ("API")' },
    "api-version": { type: "string", about: 'its version ("1")' },
    server: { type: "string", about: 'where it is: "https://api.example.org"' },
  },
  async run({ out }, { flags, words: [file, ...wanted] }) {
    if (file === undefined) {
      throw new UsageError("heddle openapi needs a file: buf build --as-file-descriptor-set -o descriptors.binpb");
    }
    const services = chosen(await servicesIn(file), wanted, file);
    const { openApiDocument } = await import("../../rest/openapi/document.ts"); // which no other command needs
    const { title, "api-version": version, server } = flags;
    const document = openApiDocument(services, {
      ...(typeof title === "string" && { title }),
      ...(typeof version === "string" && { version }),
      ...(typeof server === "string" && { servers: [server] }),
    });
    out.line(JSON.stringify(document, null, 2));
    return 0;
  },
};

async function servicesIn(file: string): Promise<readonly DescService[]> {
  try {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(file)));
    return [...registry].filter((desc): desc is DescService => desc.kind === "service");
  } catch (reason) {
    const why = messageOf(reason);
    throw new UsageError(`${file} cannot be read as descriptors: ${why}`);
  }
}

function chosen(services: readonly DescService[], wanted: readonly string[], file: string): readonly DescService[] {
  if (wanted.length === 0) return services.filter(({ typeName }) => !infrastructure.test(typeName));
  const found = wanted.map((name) => services.filter(({ typeName }) => `${typeName}.`.startsWith(`${name}.`)));
  const missing = wanted.filter((_, i) => found[i]?.length === 0);
  if (missing.length > 0) {
    const known = services.map(({ typeName }) => typeName).join(", ");
    throw new UsageError(`${file} has no service ${missing.join(", ")}; it has ${known}`);
  }
  return [...new Set(found.flat())];
}
