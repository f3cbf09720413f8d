/** The first Node that runs everything here; `engines` in package.json says the same. */
export const oldestNode = { major: 22, minor: 18 } as const;

/**
 * Why this Node will not do, in words for whoever typed the command; `undefined` when it will.
 * npm only warns of a Node that is too old, and what fails later (no `node:sqlite`) does not tell the reason.
 */
export function nodeComplaint(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { major: oldest, minor: least } = oldestNode;
  if (major > oldest || (major === oldest && minor >= least)) return undefined;
  return `heddle needs Node ${oldest}.${least} or later, and this is ${version}. Newer ones: https://nodejs.org/en/download`;
}
