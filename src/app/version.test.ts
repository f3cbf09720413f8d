import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { heddleVersion } from "./version.ts";

test("programs show the version that the package has", () => {
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, "utf8"));
  expect(heddleVersion).toBe(version);
});
