import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "../..");
const outdir = join(root, ".heddle/bench");
/** Not among them: upstream.ts, which needs its migrations beside it. */
const bundled = [
  "server",
  "client",
  "gateway",
  "loader",
  "constant",
  "situations/replica",
  "situations/grpc-js-replica",
  "situations/caller",
  "situations/stack",
];

/**
 * Makes plain JavaScript of the programs that are run: what an installed package is. To strip types at every start
 * would cost each process 30 MB that have nothing to do with it.
 */
export async function buildPrograms(): Promise<void> {
  await build({
    entryPoints: bundled.map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    target: "node22",
    format: "esm",
    logLevel: "warning",
  });
}

/** Where a program is. */
export function pathOf(program: string): string {
  return bundled.includes(program) ? join(outdir, `${program}.mjs`) : join(import.meta.dirname, `${program}.ts`);
}
