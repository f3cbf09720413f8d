import { posix } from "node:path";

/** A source file: its path from the project's root, and what it says. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The plan of the house, from the ground up. Rooms of one floor never import each other. */
const floors: readonly (readonly string[])[] = [
  ["base", "http2"],
  ["call"],
  ["security", "store", "wire", "rest"],
  ["mesh", "server", "events"],
  ["telemetry"],
  ["app"],
  // biome-ignore format: the doors, in the order of the plan
  ["services/discovery", "services/user", "services/order", "services/catalog", "gateway", "cli", "interop", "bench", "testing"],
  ["index.ts", "events.ts"], // what the world imports
];
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)));

/** Tests, what they are given and measurements go anywhere, and may wait for real time. */
const isWorkshop = (path: string) => /\.test\.ts$|^src\/(test|testing|bench)\//.test(path);

/** What only some files may use: its pattern, whose it is, and the rule to quote. */
const owned = [
  {
    pattern: /(?<![.\w])(Date\.now|Math\.random|setTimeout|setInterval)\b/g,
    owner: /^src\/base\//,
    rule: "only base/ asks for time and dice: take a Clock or a Random",
  },
  {
    pattern: /\b(process\.env)\b/g,
    owner: /(^|\/)main\.ts$|^src\/base\/env\.ts$/,
    rule: "only a main.ts reads the environment, through base/env.ts",
  },
];

/** All that `file` has against the plan: where, what, and which rule. Empty when it keeps to the plan. */
export function complaints({ path, text }: SourceFile): string[] {
  if (isWorkshop(path)) return [];
  const code = blank(text, /\/\*[\s\S]*?\*\/|\/\/[^\n]*/);
  return [...imports({ path, text: code }), ...uses({ path, text: blank(code, /"(?:\\.|[^"\\\n])*"/) })];
}

function imports({ path, text }: SourceFile): string[] {
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g);
  return [...found].flatMap((match) => {
    const specifier = match[1] ?? "";
    const rule = brokenBy(path, specifier);
    return rule ? [`${path}:${lineAt(text, match.index)} imports "${specifier}": ${rule}`] : [];
  });
}

function uses({ path, text }: SourceFile): string[] {
  return owned.flatMap(({ pattern, owner, rule }) => {
    const found = owner.test(path) ? [] : [...text.matchAll(pattern)];
    return found.map((match) => `${path}:${lineAt(text, match.index)} uses ${match[1]}: ${rule}`);
  });
}

/** The rule that `specifier`, imported by the file at `path`, breaks. */
function brokenBy(path: string, specifier: string): string | undefined {
  const from = roomOf(path);
  if (!specifier.startsWith(".")) {
    const isEngine = /^(node:)?(http2|net|tls)$|^@connectrpc\/connect-node$/.test(specifier);
    if (specifier === "amqplib")
      return path.startsWith("src/events/amqp/") ? undefined : "only events/amqp/ knows RabbitMQ's client";
    return isEngine && from !== "wire" ? "only wire/ knows sockets and engines" : undefined;
  }
  const to = roomOf(posix.join(posix.dirname(path), specifier));
  return from === to ? undefined : between(from, to);
}

function between(from: string, to: string): string | undefined {
  const here = floorOf.get(from);
  if (here === undefined) return offPlan(from);
  if (to === "gen") return here > 0 ? undefined : "gen/ may be used from floor 1 upwards";
  const there = floorOf.get(to);
  if (there === undefined) return offPlan(to);
  if (there < here) return undefined;
  if (there > here) return `${from} (floor ${here}) may not climb to ${to} (floor ${there})`;
  return `${from} and ${to} are neighbours on floor ${here}: what both need moves down, what joins them moves up`;
}

const offPlan = (room: string) => `${room} is on no floor: src/test/layout.ts has the plan`;

/** `src/mesh/steps/retry.ts` → mesh; `src/services/user/main.ts` → services/user; `gen/…` → gen. */
function roomOf(path: string): string {
  const [top = "", room = "", inner = ""] = path.split("/");
  if (top !== "src") return top;
  return room === "services" ? `${room}/${inner}` : room;
}

const lineAt = (text: string, index: number) => text.slice(0, index).split("\n").length;

/** `text` with what matches `unwanted` outside a string made blank, line by line where it was. */
function blank(text: string, unwanted: RegExp): string {
  const string = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
  const tokens = new RegExp(`(?<unwanted>${unwanted.source})|${string.source}`, "g");
  return text.replace(tokens, (token, ...rest) => {
    const { unwanted: gone } = rest.at(-1) as { unwanted?: string };
    return gone === undefined ? token : gone.replace(/[^\n]/g, " ");
  });
}
