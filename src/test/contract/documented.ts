import { readFileSync } from "node:fs";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";

const protoDir = `${import.meta.dirname}/../../../proto`;

/** The codes that the comment over an rpc names after "Errors:". */
export function documentedCodes(method: DescMethod): readonly Code[] {
  const comment = commentOver(method);
  const errors = comment.split("Errors:")[1] ?? "";
  return [...errors.matchAll(/\b[A-Z]+(?:_[A-Z]+)*\b/g)].flatMap(([word]) => codes.get(word) ?? []);
}

/** "NOT_FOUND" as contracts write it. */
export function codeName(code: Code): string {
  return (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

const codes = new Map(
  Object.values(Code)
    .filter((code) => typeof code === "number")
    .map((code) => [codeName(code), code] as const),
);

/** The lines of comment right above the rpc in its .proto file, as one text. */
function commentOver({ name, parent }: DescMethod): string {
  const lines = readFileSync(`${protoDir}/${parent.file.name}.proto`, "utf8").split("\n");
  const serviceAt = lines.findIndex((line) => line.startsWith(`service ${parent.name} `));
  const rpcAt = lines.findIndex((line, at) => at > serviceAt && line.trim().startsWith(`rpc ${name}(`));
  if (serviceAt < 0 || rpcAt < 0) throw new Error(`${parent.file.name}.proto says nothing of ${parent.name}/${name}`);
  const isComment = (line: string) => line.trim().startsWith("//");
  const start = lines.findLastIndex((line, at) => at < rpcAt && !isComment(line)) + 1;
  return lines
    .slice(start, rpcAt)
    .map((line) => line.trim().slice(2))
    .join(" ");
}
