import type { Segment, Template } from "./template.ts";

/** What a trie says of a path: a value with the raw segments it matched, or the methods that the path does know. */
export type Found<T> =
  | { readonly kind: "found"; readonly value: T; readonly segments: readonly string[] }
  | { readonly kind: "wrong-method"; readonly allow: readonly string[] };

/** By verb ("" for none), then by HTTP method ("*" for any). */
type Ends<T> = Map<string, Map<string, T>>;

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  any?: Node<T>;
  rest?: Node<T>;
  readonly ends: Ends<T>;
}

interface Query {
  readonly segments: readonly string[];
  readonly verb: string;
  readonly method: string;
  readonly allow: Set<string>;
}

/**
 * Routes by path and HTTP method. Finding one costs as much as the path is long, however many routes there are.
 *
 * Two routes may overlap: literals beat `*` and `*` beats `**`, segment by segment from the left, so that
 * `/v1/users/{id}` takes `/v1/users/fixed` before `/v1/{any}/fixed` does; a way that ends nowhere is left for the next.
 * A path that ends in a known `:verb` belongs to the verb alone, and any other colon is part of the last segment. A
 * route of the request's own method goes before one of any method, and GET answers HEAD where nothing else does.
 */
export class RouteTrie<T> {
  readonly #root: Node<T> = emptyNode();
  readonly #verbs = new Set<string>();

  /** Adds a route. When the place is taken, adds nothing and returns who has it. */
  insert(method: string, template: Template, value: T): T | undefined {
    const node = template.segments.reduce(child, this.#root);
    const methods = node.ends.get(template.verb) ?? new Map<string, T>();
    const owner = methods.get(method);
    if (owner !== undefined) return owner;
    node.ends.set(template.verb, methods.set(method, value));
    if (template.verb !== "") this.#verbs.add(template.verb);
    return undefined;
  }

  /** Finds the route of a path without query string; `undefined` when no route has such a path, whatever the method. */
  find(method: string, path: string): Found<T> | undefined {
    const segments = path.slice(1).split("/");
    const last = segments.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    const verb = colon > 0 ? decoded(last.slice(colon + 1)) : "";
    if (verb !== "" && this.#verbs.has(verb)) {
      const found = this.#find(method, [...segments.slice(0, -1), last.slice(0, colon)], verb);
      if (found !== undefined) return found;
    }
    return this.#find(method, segments, "");
  }

  #find(method: string, segments: readonly string[], verb: string): Found<T> | undefined {
    const query: Query = { segments, verb, method, allow: new Set() };
    const value = search(this.#root, 0, query);
    if (value !== undefined) return { kind: "found", value, segments };
    return query.allow.size > 0 ? { kind: "wrong-method", allow: [...query.allow].sort() } : undefined;
  }
}

function emptyNode<T>(): Node<T> {
  return { literals: new Map(), ends: new Map() };
}

function child<T>(node: Node<T>, segment: Segment): Node<T> {
  if (segment.kind !== "literal") {
    node[segment.kind] ??= emptyNode();
    return node[segment.kind] as Node<T>;
  }
  const next = node.literals.get(segment.text) ?? emptyNode<T>();
  node.literals.set(segment.text, next);
  return next;
}

function search<T>(node: Node<T>, at: number, query: Query): T | undefined {
  const segment = query.segments[at];
  if (segment === undefined) return end(node, query) ?? (node.rest && end(node.rest, query));
  const literal = node.literals.get(decoded(segment));
  const byLiteral = literal && search(literal, at + 1, query);
  if (byLiteral !== undefined) return byLiteral;
  const byAny = node.any && segment !== "" ? search(node.any, at + 1, query) : undefined;
  return byAny ?? (node.rest && end(node.rest, query));
}

function end<T>(node: Node<T>, { verb, method, allow }: Query): T | undefined {
  const methods = node.ends.get(verb);
  if (methods === undefined) return undefined;
  const value = methods.get(method) ?? (method === "HEAD" ? methods.get("GET") : undefined) ?? methods.get("*");
  if (value === undefined) for (const known of methods.keys()) allow.add(known);
  if (value === undefined && methods.has("GET")) allow.add("HEAD");
  return value;
}

function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // no literal is written like this; a variable that covers it will refuse it by name
  }
}
