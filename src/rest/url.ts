/** Path and query of a URL that may be absolute or begin at the path, without parsing what is between. */
export function splitUrl(url: string): readonly [path: string, query: string] {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const [target = ""] = (start < 0 ? "/" : url.slice(start)).split("#", 1);
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}
