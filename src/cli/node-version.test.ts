import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeComplaint, oldestNode } from "./node-version.ts";

test.each(["22.18.0", "22.20.1", "24.0.0", "24.21.0", "26.1.0"])("Node %s will do", (version) => {
  expect(nodeComplaint(version)).toBeUndefined();
});

test.each(["18.20.8", "20.20.2", "22.17.1", "22.9.0"])("Node %s is told what is needed", (version) => {
  expect(nodeComplaint(version)).toContain(`heddle needs Node 22.18 or later, and this is ${version}`);
});

test("package.json asks for the same Node", () => {
  const about: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(about).toMatchObject({ engines: { node: `>=${oldestNode.major}.${oldestNode.minor}` } });
});
