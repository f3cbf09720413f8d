import { readdirSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import { scratchService } from "../../../testing/scratch-contract.ts";
import { oddMethods } from "./odd-contract.ts";

const gen = new URL("../../../../gen/", import.meta.url);

/** Every contract there is in gen/, and the odd one. */
export async function contracts(): Promise<readonly DescService[]> {
  const files = readdirSync(gen, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("_pb.ts"));
  const modules = await Promise.all(files.map((name) => import(new URL(name, gen).href) as Promise<object>));
  const generated = modules.flatMap((module) => Object.values(module)).filter(isService);
  return [...generated, scratchService(...oddMethods)];
}

function isService(exported: unknown): exported is DescService {
  return typeof exported === "object" && exported !== null && "kind" in exported && exported.kind === "service";
}
