import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { freePort } from "../../testing/free-port.ts";
import { readSection } from "./readme.ts";
import { pack, projectRoot, ScratchProject } from "./scratch-project.ts";

const readme = readSection("Add a service of your own");
const installed = "node_modules/heddle";
const project = new ScratchProject();

/** Step 1 of the README: the files, then the lines to type. The other tests stand in the folder that it leaves. */
beforeAll(async () => {
  const tarball = await pack(project.folder);
  for (const [path, content] of readme.files) project.write(path, content);
  const named = `path/to/${basename(tarball)}`;
  expect(readme.commands.join("\n")).toContain(named);
  for (const line of readme.commands) await project.type(line.replace(named, tarball));
}, 240_000);
afterAll(() => project[Symbol.dispose]());

test("README's service is served, called through the mesh, and found by the gateway", async () => {
  const heddle = "node_modules/.bin/heddle";
  const [discovery, gateway] = [await freePort(), await freePort()];
  const mesh = { HEDDLE_DISCOVERY: `127.0.0.1:${discovery}`, ADMIN_PORT: "0" };
  await using registry = project.start(heddle, ["discovery"], { ...mesh, PORT: `${discovery}` });
  await registry.answers(`http://127.0.0.1:${discovery}/health`);
  await using door = project.start(heddle, ["gateway"], { ...mesh, PORT: `${gateway}` });
  await using server = project.start("server.ts", [], mesh);
  await eventually("server.ts is registered", () => !server.running || server.output.includes('"registered"'));

  expect(await project.type("node client.ts", mesh), server.output).toBe("Hello, Ada!\n");

  const [, path = "no path"] = /`curl localhost:8000(\/\S+)`/.exec(readme.text) ?? [];
  const look = async () => {
    const answer = await fetch(`http://127.0.0.1:${gateway}${path}`);
    return answer.ok && { text: await answer.text() };
  };
  await door.answers(`http://127.0.0.1:${gateway}/health`);
  const { text } = await eventually(`the gateway answers ${path}`, look);
  expect(JSON.parse(text)).toEqual({ text: "Hello, Ada!" });
  const [page, document] = await Promise.all(
    ["docs", "openapi.json"].map(async (name) => (await fetch(`http://127.0.0.1:${gateway}/${name}`)).text()),
  );
  expect(page).toContain("swagger-ui-bundle.js");
  expect(document).toContain("HelloService");
  expect(await server.end("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("the package holds programs, types and contracts of its own, and no tests", () => {
  const files = readdirSync(join(project.folder, installed), { recursive: true, encoding: "utf8" });
  const odd = /\.test\.|^dist\/(src\/(test|bench)\/|scripts)|^(src|gen|scripts)\/|^proto\/shop|\.stamp$|fake-fleet/;
  expect(files.filter((file) => odd.test(file))).toEqual([]);
  const wanted = ["LICENSE", "README.md", "CHANGELOG.md", "proto/heddle/policy/v1/policy.proto"];
  expect(files).toEqual(expect.arrayContaining([...wanted, "third_party/google/api/annotations.proto"]));
  const described = ["descriptors.binpb", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "docs/LICENSE"];
  expect(files).toEqual(expect.arrayContaining(described.map((file) => `dist/gen/${file}`)));
  for (const { types, default: code } of Object.values(entryPoints())) {
    expect(existsSync(join(project.folder, installed, types)), types).toBe(true);
    expect(existsSync(join(project.folder, installed, code)), code).toBe(true);
  }
});

test("plain JavaScript imports it; what needs grpc-js says so where there is none", async () => {
  project.write(
    "plain.js",
    `import { methodPolicy, openMesh, serve } from "heddle";
     import { openEvents } from "heddle/events";
     import { transcoder } from "heddle/gateway";
     import { fakeClock } from "heddle/testing";
     console.log([methodPolicy, openMesh, serve, openEvents, transcoder, fakeClock].map((part) => typeof part).join());
     for (const bridge of ["heddle/grpc-js", "heddle/nice-grpc"]) {
       await import(bridge).catch((reason) => console.log(reason.message));
     }`,
  );
  const [parts, ...bridges] = (await project.type("node plain.js")).trim().split("\n");
  expect(parts).toBe("function,function,function,function,function,function");
  expect(bridges).toEqual(Array(2).fill(expect.stringContaining("Cannot find package '@grpc/grpc-js'")));
});

test("TypeScript at its strictest accepts README's files, and the package's own types with them", async () => {
  const compilerOptions = {
    ...{ module: "nodenext", target: "es2024", lib: ["es2024", "esnext.disposable", "dom"] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
    ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true, skipLibCheck: false, noEmit: true },
  };
  project.write(
    "all.ts",
    'export * from "heddle";\nexport * from "heddle/gateway";\nexport * from "heddle/testing";\n',
  );
  project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["server.ts", "client.ts", "all.ts"] }));
  expect(await project.type(`${join(projectRoot, "node_modules/.bin/tsc")} -p .`)).toBe("");
});

test("its program tells its version and its commands", async () => {
  expect((await project.type("npx heddle --version")).trim()).toBe(about().version);
  expect(await project.type("npx heddle --help")).toMatch(/^ +up +Start .*^ +discovery +.*^ +gateway +/ms);
});

test.each(["user", "catalog", "order"])("what `heddle up` starts needs no more than is installed: %s", async (name) => {
  await project.type("npx heddle token --sub ada");
  const keys = { AUTH_JWKS: join(project.folder, ".heddle/keys/jwks.json") };
  const env = { PORT: `${await freePort()}`, ADMIN_PORT: "0", HEDDLE_DISCOVERY: "127.0.0.1:1", ...keys };
  await using program = project.start(`${installed}/dist/src/services/${name}/main.js`, [], env);
  await program.answers(`http://127.0.0.1:${env.PORT}/health`); // its migrations have run
});

interface About {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

function about(): About {
  return JSON.parse(readFileSync(join(project.folder, installed, "package.json"), "utf8")) as About;
}

function entryPoints() {
  return Object.values(about().exports).filter((entry) => typeof entry === "object");
}
