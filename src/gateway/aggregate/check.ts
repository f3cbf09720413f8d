import { messageOf } from "../../base/message-of.ts";
import { parseTemplate } from "../../rest/routes/template.ts";
import { type Aggregate, CompositionError, type Part, partOf } from "./aggregate.ts";

const namePattern = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

/** Words that mean something else where a part's name could stand. */
const reserved: ReadonlySet<string> = new Set(["path", "query", "each", "partial", "true", "false", "null"]);

const maxParts = 32;

/** All that is wrong with one aggregate as far as that can be seen without its contracts. */
export function complaintsAbout({ path, query, parts, timeoutMs }: Aggregate): readonly string[] {
  const complaints: string[] = [];
  const about = (complaint: string) => complaints.push(`GET ${path}: ${complaint}`);
  try {
    parseTemplate(path);
  } catch (reason) {
    about(messageOf(reason));
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) about(`timeout is ${timeoutMs} ms; it has to be positive`);
  for (const name of query) if (!namePattern.test(name)) about(`query parameter "${name}" is not in lower snake_case`);
  if (parts.length === 0) about("it has no parts");
  if (parts.length > maxParts) about(`it has ${parts.length} parts; ${maxParts} are the most`);
  return [...complaints, ...parts.flatMap((part) => partComplaints(path, parts, part))];
}

function partComplaints(path: string, parts: readonly Part[], part: Part): readonly string[] {
  const { name, after, many } = part;
  const complaints: string[] = [];
  if (!namePattern.test(name)) complaints.push("its name is not in lower snake_case");
  if (reserved.has(name)) complaints.push(`its name means something else; reserved are ${[...reserved].join(", ")}`);
  if (parts.find((other) => other.name === name) !== part) complaints.push("another part has this name already");
  for (const needed of after) {
    if (!parts.some((other) => other.name === needed)) {
      complaints.push(`it needs "${needed}", and there is no such part; parts are ${names(parts)}`);
    }
  }
  if (many && !within(many.maxCalls, 1_000)) complaints.push(`max_calls is ${many.maxCalls}; from 1 to 1000 it may be`);
  if (many && !within(many.maxAtOnce, 100))
    complaints.push(`max_at_once is ${many.maxAtOnce}; from 1 to 100 it may be`);
  return complaints.map((complaint) => `${partOf(path, name)}: ${complaint}`);
}

function within(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function names(parts: readonly Part[]): string {
  return parts.map(({ name }) => name).join(", ");
}

/** The parts, each after all that it needs. Throws CompositionError for parts that wait for each other. */
export function inOrder(path: string, parts: readonly Part[]): readonly Part[] {
  const sorted = new Set<Part>();
  const visit = (part: Part, waiting: readonly string[]): void => {
    if (sorted.has(part)) return;
    if (waiting.includes(part.name)) {
      const circle = [...waiting.slice(waiting.indexOf(part.name)), part.name].join(" → ");
      throw new CompositionError([`${partOf(path, part.name)}: parts wait for each other: ${circle}`]);
    }
    for (const name of part.after) {
      const needed = parts.find((other) => other.name === name);
      if (needed !== undefined) visit(needed, [...waiting, part.name]);
    }
    sorted.add(part);
  };
  for (const part of parts) visit(part, []);
  return [...sorted];
}

/** Throws one CompositionError with all that is wrong: with each aggregate, and with two that have the same path. */
export function assertAggregates(aggregates: readonly Aggregate[]): void {
  const seen = new Map<string, string>();
  const complaints = aggregates.flatMap((aggregate) => {
    const own = complaintsAbout(aggregate);
    const shape = shapeOf(aggregate.path);
    const before = seen.get(shape);
    seen.set(shape, aggregate.path);
    return before === undefined
      ? own
      : [...own, `GET ${aggregate.path}: another aggregate has this path already${as(before, aggregate.path)}`];
  });
  if (complaints.length > 0) throw new CompositionError(complaints);
}

const as = (other: string, path: string) => (other === path ? "" : `, as ${other}`);

/** Equal for paths that match the same requests, whatever their variables are called. */
export function shapeOf(path: string): string {
  try {
    const { segments, verb } = parseTemplate(path);
    const words = segments.map((segment) =>
      segment.kind === "literal" ? segment.text : segment.kind === "any" ? "*" : "**",
    );
    return `/${words.join("/")}:${verb}`;
  } catch {
    return path; // said already
  }
}
