#!/usr/bin/env node
// What the package calls `heddle`. It imports the program only on a Node that can run it.
import { nodeComplaint } from "./node-version.ts";

const complaint = nodeComplaint(process.versions.node);
if (complaint === undefined) await import("./main.ts");
else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
