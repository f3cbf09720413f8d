/** What a URL parser would leave as it is: nothing to escape, and no segment that may be dots, escaped or not. */
const plainTarget = /^\/[\w\-.~%/?&=+,:;@!$()*]*$/;
const plainHost = /^[\w\-.]+(:\d+)?$/;
const mayHaveDots = /\/(\.|%2e)/i;

/** A host, with brackets or not, and a port: nothing that ends an authority, nobody's name and password. */
const wellFormedHost = /^(\[[\da-f:.]+\]|[^\s@/?#\\:[\]]+)(:\d*)?$/i;
/** Nothing that URL parsers take for a slash, cut off, or end at. */
const wellFormedTarget = /^(\/[^\\#\s]*|\*)$/;
const dotSegment = /\/(\.|%2e){1,2}(\/|\?|$)/i;
const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/is;

/** What a request is about, as it arrived. */
export interface Target {
  readonly scheme: "http" | "https";
  /** The `Host` header, or `:authority`. */
  readonly host: string | null | undefined;
  /** The request line's target, or `:path`: "/v1/users?page_size=5". */
  readonly target: string | undefined;
}

/**
 * The absolute URL of a request; `undefined` for what means different things to different programs, and is sent by none
 * that means well: no host or an odd one, a path with dot segments, backslashes or a fragment. Somebody before us may have
 * decided by such a path, as he reads it, whether the request may come here.
 */
export function urlOf({ scheme, host, target = "" }: Target): string | undefined {
  if (host && plainHost.test(host) && plainTarget.test(target) && !mayHaveDots.test(target))
    return `${scheme}://${host}${target}`;
  const [, itsHost = host, itsTarget = target] = absoluteForm.exec(target) ?? [];
  const path = target !== itsTarget && !itsTarget.startsWith("/") ? `/${itsTarget}` : itsTarget;
  if (!itsHost || !wellFormedHost.test(itsHost) || !wellFormedTarget.test(path)) return undefined;
  const [beforeQuery = ""] = path.split("?", 1);
  if (dotSegment.test(beforeQuery)) return undefined;
  const url = `${scheme}://${itsHost}${path === "*" ? "/*" : path}`;
  return URL.canParse(url) ? new URL(url).toString() : undefined;
}

/** What is said of a request that has none. */
export function badTarget({ host, target = "" }: Target): string {
  const shown = JSON.stringify(target.slice(0, 100));
  if (!host) return `the request for ${shown} names no host, or several: send one Host header`;
  return `the request for ${shown} at ${JSON.stringify(host.slice(0, 100))} has no clear URL: send one host, and a path without dot segments, backslashes and fragment`;
}
