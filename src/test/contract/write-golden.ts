import { execFileSync } from "node:child_process";
import { goldenDir, ourMessages, readSamples, writeMissing } from "./golden.ts";

const added = writeMissing(await ourMessages(), readSamples());
execFileSync(`${import.meta.dirname}/../../../node_modules/.bin/biome`, ["format", "--write", goldenDir], {
  stdio: "ignore",
});
console.log(added.length === 0 ? `${goldenDir}: nothing was missing` : `${goldenDir}: added ${added.join(", ")}`);
