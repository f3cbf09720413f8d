import { readFileSync } from "node:fs";

/** What a section of the README tells its reader to do. */
export interface ReadmeSection {
  /** The files to write, by the path that the text before each block calls them. */
  readonly files: ReadonlyMap<string, string>;
  /** The lines to type, in their order. */
  readonly commands: readonly string[];
  /** The section as it is written. */
  readonly text: string;
}

const block = /```(\w+)\n([\s\S]*?)```/g;
const fileName = /`([\w./-]+\.(?:proto|yaml|ts))`/g;

/**
 * Reads one section of the README as its reader does. A `sh` block is typed; any other block is the content of the
 * file named before it, and of two names before two blocks each block takes its own.
 */
export function readSection(title: string): ReadmeSection {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const text = readme.split(/^## /m).find((section) => section.startsWith(`${title}\n`));
  if (text === undefined) throw new Error(`README.md has no section "${title}"`);
  const files = new Map<string, string>();
  const commands: string[] = [];
  const names: string[] = [];
  let end = 0;
  for (const { 0: whole, 1: language, 2: content = "", index } of text.matchAll(block)) {
    for (const [, name = ""] of text.slice(end, index).matchAll(fileName)) names.push(name);
    end = index + whole.length;
    if (language === "sh") commands.push(...content.trim().split("\n"));
    else files.set(nextOf(names, content), content);
  }
  return { files, commands, text };
}

function nextOf(names: string[], content: string): string {
  const name = names.shift();
  if (name === undefined) throw new Error(`README.md does not say which file this is:\n${content}`);
  return name;
}
