import { readFile } from "node:fs/promises";
import { type PageContent, pageContent } from "./page.ts";

/** Where `make generate` leaves Swagger UI, in the source and in the package. */
export const docsFolder = new URL("../../../gen/docs/", import.meta.url);

/** Files of the page that others wrote, and their types. */
const files = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
} as const;

/** Contents by file name. */
export type Assets = ReadonlyMap<string, PageContent>;

/** Reads the files of Swagger UI; the error names the one that is missing, and how to get it. */
export async function readAssets(folder: URL): Promise<Assets> {
  const reading = Object.entries(files).map(async ([name, type]) => {
    const path = new URL(name, folder);
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new Error(`${path.pathname} is not there: make generate puts it there`, { cause });
    });
    return [name, pageContent(type, bytes)] as const;
  });
  return new Map(await Promise.all(reading));
}
