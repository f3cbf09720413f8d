import { globSync } from "node:fs";
import type { DescFile } from "@bufbuild/protobuf";

const genDir = `${import.meta.dirname}/../../../gen`;

/** Every contract that `gen/` holds, by file name. */
export async function generatedFiles(): Promise<readonly DescFile[]> {
  const paths = globSync("**/*_pb.ts", { cwd: genDir }).sort();
  const modules = await Promise.all(paths.map((path) => import(`${genDir}/${path}`) as Promise<object>));
  return modules.flatMap((module) => Object.values(module).filter(isFile));
}

/** Whether the contract is ours, and not one that we speak along with others. */
export function isOurs({ proto }: DescFile): boolean {
  return /^(heddle|shop)\./.test(proto.package);
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}
