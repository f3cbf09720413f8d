import { createRequire } from "node:module";
import type { JsonObject } from "@bufbuild/protobuf";
import type { OpenApiDocument } from "../../../rest/openapi/document.ts";

/** Whether a value fits a schema; what is wrong is told, "" for nothing. */
export type Check = (value: unknown) => string;

interface Ajv {
  addSchema(schema: object, key: string): Ajv;
  compile(schema: object): ((value: unknown) => boolean) & { errors?: readonly object[] | null };
}

/** JSON Schema 2020-12 as the validator of OpenAPI brings it along. */
const near = createRequire(import.meta.resolve("@seriousme/openapi-schema-validator"));
const { default: Ajv2020 } = near("ajv/dist/2020.js") as { default: new (options: object) => Ajv };
const { default: addFormats } = near("ajv-formats") as { default: (ajv: Ajv) => Ajv };

/** Formats of OpenAPI that say how wide a number is, which `type` and `pattern` say, too. */
const widths = ["int32", "int64", "uint32", "uint64", "float", "double", "byte"];

/** Checks values against the schemas of a document, references and all. */
export function schemaChecks(document: OpenApiDocument): (schema: JsonObject) => Check {
  const formats = Object.fromEntries(widths.map((name) => [name, true]));
  const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true, formats })).addSchema(document, "doc");
  return (schema) => {
    const check = ajv.compile(located(schema) as object);
    return (value) => (check(value) ? "" : JSON.stringify(check.errors));
  };
}

/** The schema as it reads outside of the document. */
function located(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(located);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      return [key, key === "$ref" && typeof value === "string" ? `doc${encodeURI(value)}` : located(value)];
    }),
  );
}
