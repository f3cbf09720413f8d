import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { complaints } from "./layout.ts";

const root = join(import.meta.dirname, "../..");

function read(path: string): { path: string; text: string } {
  return { path, text: readFileSync(join(root, path), "utf8") };
}

test("no file imports from a floor above it or from a neighbour, and none reaches past the room that owns a thing", () => {
  const files = globSync("src/**/*.ts", { cwd: root }).sort().map(read);
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap(complaints)).toEqual([]);
});

test("an import that climbs, visits a neighbour or leaves the plan is named with its line and the rule", () => {
  const path = "src/server/steps/deadline.ts";
  const imports = (specifier: string, from = path) =>
    complaints({ path: from, text: `\nimport { x } from "${specifier}";\n` });
  expect(imports("../../call/errors.ts")).toEqual([]);
  expect(imports("../hooks.ts")).toEqual([]);
  expect(imports("../../../gen/shop/user/v1/user_pb.ts")).toEqual([]);
  expect(imports("../../app/run.ts")).toEqual([
    `${path}:2 imports "../../app/run.ts": server (floor 3) may not climb to app (floor 5)`,
  ]);
  expect(imports("../../mesh/mesh.ts")).toEqual([
    `${path}:2 imports "../../mesh/mesh.ts": server and mesh are neighbours on floor 3: what both need moves down, what joins them moves up`,
  ]);
  expect(imports("../order/order-mapping.ts", "src/services/user/main.ts")).toHaveLength(1);
  expect(imports("../../gen/shop/user/v1/user_pb.ts", "src/base/clock.ts")).toHaveLength(1);
  expect(imports("../index.ts", "src/mesh/mesh.ts")).toHaveLength(1);
  expect(imports("../nowhere/x.ts", "src/mesh/mesh.ts")).toEqual([
    `src/mesh/mesh.ts:2 imports "../nowhere/x.ts": nowhere is on no floor: src/test/layout.ts has the plan`,
  ]);
  expect(imports("./server/serve.ts", "src/index.ts")).toEqual([]);
});

test("every way to write an import is seen, and what only looks like one in a comment is not", () => {
  const from = (text: string) => complaints({ path: "src/base/clock.ts", text });
  const climb = "../mesh/mesh.ts";
  for (const text of [
    `import type { Mesh } from "${climb}";`,
    `import {\n  a,\n  b,\n} from "${climb}";`,
    `export * from "${climb}";`,
    `import "${climb}";`,
    `const { openMesh } = await import("${climb}");`,
    `type M = import('${climb}').Mesh;`,
  ]) {
    expect(from(text), text).toHaveLength(1);
  }
  expect(from(`// import { a } from "${climb}";\n/**\n * import { a } from "${climb}";\n */`)).toEqual([]);
});

test("sockets belong to wire, clock and dice to base, the environment to a main", () => {
  const at = (path: string, text: string) => complaints({ path, text }).length;
  expect(at("src/mesh/mesh.ts", `import { connect } from "node:net";`)).toBe(1);
  expect(at("src/mesh/mesh.ts", `import { createGrpcTransport } from "@connectrpc/connect-node";`)).toBe(1);
  expect(at("src/wire/node.ts", `import { connect } from "node:http2";`)).toBe(0);
  expect(at("src/events/relay/relay.ts", `import { connect } from "amqplib";`)).toBe(1);
  expect(at("src/events/amqp/connection.ts", `import { connect } from "amqplib";`)).toBe(0);
  expect(at("src/mesh/mesh.ts", "const at = Date.now();")).toBe(1);
  expect(at("src/mesh/mesh.ts", "setTimeout(done, 5);")).toBe(1);
  expect(at("src/mesh/mesh.ts", `import { setTimeout as sleep } from "node:timers/promises";`)).toBe(1);
  expect(at("src/mesh/mesh.ts", `const hint = "ask Date.now()"; // not Math.random\nsocket.setTimeout(5);`)).toBe(0);
  expect(at("src/base/clock.ts", "Date.now();")).toBe(0);
  expect(at("src/mesh/mesh.ts", "process.env.PORT;")).toBe(1);
  expect(at("src/base/env.ts", "process.env.PORT;")).toBe(0);
  expect(at("src/services/user/main.ts", "process.env.PORT;")).toBe(0);
  expect(at("src/testing/fake-clock.ts", "Date.now(); setTimeout(f); process.env.PORT;")).toBe(0);
});
