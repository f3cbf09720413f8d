/**
 * Whether `If-None-Match` shows the tag of what there is now, however weak either is (RFC 9110 §13.1.2). `*` is whatever
 * there is.
 */
export function isShown(ifNoneMatch: string | null, current: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const opaque = opaqueOf(current);
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => opaqueOf(tag) === opaque);
}

function opaqueOf(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
