/** Adds a name to `Vary`, once. */
export function addVary(header: Headers, name: string): void {
  const told = header.get("vary");
  if (told === null) header.set("vary", name);
  else if (!namesIn(told).includes(name.toLowerCase())) header.append("vary", name);
}

function namesIn(vary: string): readonly string[] {
  return vary.toLowerCase().split(/\s*,\s*/);
}
