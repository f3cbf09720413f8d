import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { freePort } from "../../testing/free-port.ts";
import { ownServices } from "./own-services.ts";
import { readSection } from "./readme.ts";
import { pack, projectRoot, ScratchProject } from "./scratch-project.ts";

const readme = readSection("Add a service of your own");
const project = new ScratchProject();

/** A project as the README sets one up, with two services of its own that tell each other something. */
beforeAll(async () => {
  const tarball = await pack(project.folder);
  for (const path of ["buf.yaml", "buf.gen.yaml"]) project.write(path, readme.files.get(path) ?? "");
  for (const [path, content] of ownServices) project.write(path, content);
  const [install = ""] = readme.commands.filter((line) => line.startsWith("npm install"));
  const lines = readme.commands.map((line) => (line === install ? `${line} @types/node` : line));
  for (const line of lines) await project.type(line.replace(`path/to/${basename(tarball)}`, tarball));
  await project.type("node migrate.ts", { HEDDLE_DATA: join(project.folder, "migrating") });
}, 240_000);
afterAll(() => project[Symbol.dispose]());

test("what one service of a user's own publishes takes effect in another once, also when that one is killed", async () => {
  const discovery = await freePort();
  const mesh = { HEDDLE_DISCOVERY: `127.0.0.1:${discovery}`, ADMIN_PORT: "0" };
  await using registry = project.start("node_modules/.bin/heddle", ["discovery"], { ...mesh, PORT: `${discovery}` });
  await registry.answers(`http://127.0.0.1:${discovery}/health`);
  const start = async (file: string) => {
    const program = project.start(file, [], mesh);
    await eventually(`${file} is registered`, () => !program.running || program.output.includes('"registered"'));
    expect(program.running, program.output).toBe(true);
    return program;
  };
  const counts = async (wanted: string) => {
    const look = async () => (await project.type("node count.ts", mesh)).trim() === wanted;
    await eventually(wanted, look, { withinMs: 60_000, everyMs: 250 });
  };
  await using notes = await start("notes.ts");
  await using words = await start("words.ts");

  await project.type("node add.ts", mesh);
  await counts("20 notes, 40 words, 20 sagas completed");
  await words.end("SIGKILL");
  await project.type("node add.ts", mesh);
  await using again = await start("words.ts");
  await counts("40 notes, 80 words, 40 sagas completed");

  for (const program of [again, notes]) expect(await program.end("SIGTERM")).toEqual({ code: 0, signal: null });
}, 180_000);

test("TypeScript at its strictest accepts a user's own services with events", async () => {
  const compilerOptions = {
    ...{ module: "nodenext", target: "es2024", lib: ["es2024", "esnext.disposable", "dom"], types: ["node"] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
    // MikroORM's own types do not pass exactOptionalPropertyTypes.
    ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true, skipLibCheck: true, noEmit: true },
  };
  const files = [...ownServices.keys()].filter((path) => path.endsWith(".ts"));
  project.write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
  expect(await project.type(`${join(projectRoot, "node_modules/.bin/tsc")} -p .`)).toBe("");
});
