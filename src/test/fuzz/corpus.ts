import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./target.ts";

const root = join(import.meta.dirname, "corpus");
const found = "found";

/** One input that is kept, named for what it shows. */
export interface Example {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * The examples of a target: files of hex digits, in which a line that begins with # says what they are. `found.hex` has
 * one on each line: what `make fuzz` came upon and nothing before had reached.
 */
export function examples({ corpus }: Pick<Target, "corpus">): Example[] {
  const files = readdirSync(join(root, corpus)).sort();
  return files.flatMap((file) => {
    const lines = readFileSync(join(root, corpus, file), "utf8").split("\n");
    const hex = lines.filter((line) => line !== "" && !line.startsWith("#"));
    const name = file.replace(".hex", "");
    if (name !== found) return [{ name, bytes: Buffer.from(hex.join(""), "hex") }];
    return hex.map((line, i) => ({ name: `${found} ${i + 1}`, bytes: Buffer.from(line, "hex") }));
  });
}

/** Keeps an example in a file of its own, and returns the path. */
export function keep(corpus: string, { name, bytes }: Example, remark: string): string {
  const path = join(root, corpus, `${name}.hex`);
  const lines = bytes.toString("hex").match(/.{1,96}/g) ?? [];
  writeFileSync(path, `${commented(remark)}${lines.join("\n")}\n`);
  return path;
}

/** Keeps what was come upon, each with what it adds to what the others lead to, in place of what was kept before. */
export function keepFound(corpus: string, inputs: readonly { bytes: Buffer; adds: string }[]): void {
  const lines = inputs.map(({ bytes, adds }) => `${commented(adds)}${bytes.toString("hex")}\n`);
  writeFileSync(join(root, corpus, `${found}.hex`), lines.join(""));
}

/** Whether an example was come upon by chance. */
export function isFound({ name }: Example): boolean {
  return name.startsWith(`${found} `);
}

function commented(remark: string): string {
  return `# ${remark.replaceAll("\n", " ")}\n`;
}
