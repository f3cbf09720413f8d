import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const root = join(import.meta.dirname, "../../../..");

/** The bytes of a FileDescriptorSet that buf makes of these files, with their comments, and of all that ours import. */
export function buildDescriptors(files: Readonly<Record<string, string>>): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "heddle-contract-"));
  try {
    for (const own of ["proto", "third_party"]) cpSync(join(root, own), join(folder, own), { recursive: true });
    const modules = ["test", "proto", "third_party"].map((path) => `{path: ${path}}`).join(", ");
    writeFileSync(join(folder, "buf.yaml"), `version: v2\nmodules: [${modules}]\n`);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, "test", dirname(path)), { recursive: true });
      writeFileSync(join(folder, "test", path), text);
    }
    const buf = join(root, "node_modules/.bin/buf");
    const args = ["build", "--as-file-descriptor-set", "-o", "-#format=binpb"];
    return execFileSync(buf, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The services of a FileDescriptorSet whose names begin so. */
export function servicesIn(set: Uint8Array, ...prefixes: readonly string[]): readonly DescService[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
  const services = [...registry].filter((desc): desc is DescService => desc.kind === "service");
  return services.filter(({ typeName }) => prefixes.some((prefix) => typeName.startsWith(prefix)));
}
