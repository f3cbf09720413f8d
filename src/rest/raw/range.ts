/** A part of a body: from `first` up to and including `last`. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The part that a Range header asks for; "unsatisfiable" if the body has none of it. `undefined` for what may be answered
 * with all of it: other units, several ranges, and headers that make no sense (RFC 9110 §14.2).
 */
export function byteRange(header: string, length: number): ByteRange | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^\s*bytes\s*=[\s,]*(\d*)-(\d*)[\s,]*$/i.exec(header) ?? [];
  if (from === "" && to === "") return undefined;
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  const first = from === "" ? Math.max(0, length - Number(to)) : Number(from);
  if (first >= length) return "unsatisfiable";
  const last = from === "" || to === "" ? length - 1 : Math.min(Number(to), length - 1);
  return { first, last };
}

/**
 * Whether a Range header counts: a request with If-Range asks for a part only of what it has already, told by a strong
 * entity tag or the exact date of the last change (RFC 9110 §13.1.5).
 */
export function rangeApplies(ifRange: string | null, header: Headers): boolean {
  if (ifRange === null) return true;
  return ifRange.startsWith('"') ? ifRange === header.get("etag") : ifRange === header.get("last-modified");
}
