import type { JsonObject } from "@bufbuild/protobuf";

/** A description out of what there is to say; nothing where that is nothing. */
export function described(parts: readonly string[]): JsonObject {
  const said = parts.filter((part) => part !== "");
  return said.length > 0 ? { description: said.join("\n\n") } : {};
}
