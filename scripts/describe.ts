/**
 * Writes what stands beside generated code: the contracts with their comments (descriptors.binpb), the API's description
 * (openapi.json) and the files of the API's page (docs/). Usage: node scripts/describe.ts [FOLDER]   If unset, gen.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { openApiDocument } from "../src/rest/openapi/document.ts";

const [folder = "gen"] = process.argv.slice(2);
const descriptors = join(folder, "descriptors.binpb");
mkdirSync(join(folder, "docs"), { recursive: true });

const { status } = spawnSync("buf", ["build", "--as-file-descriptor-set", "-o", descriptors], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const services = [...registry].filter((desc): desc is DescService => desc.kind === "service");
const ours = services.filter(({ typeName }) => typeName.startsWith("shop."));
const document = openApiDocument(ours, { title: "Heddle's shop" });
writeFileSync(join(folder, "openapi.json"), `${JSON.stringify(document, null, 2)}\n`);

/** The package tells its users apart when it is installed: it stays here, and only what pages need goes on. */
const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
for (const file of [
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "LICENSE",
  "NOTICE",
]) {
  copyFileSync(join(swagger, file), join(folder, "docs", file));
}
