import { parseTemplate } from "../rest/routes/template.ts";
import { RouteTrie } from "../rest/routes/trie.ts";

/** What finding a route costs. */
export interface RoutingRow {
  /** What is asked for. */
  readonly request: string;
  readonly routes: number;
  readonly nsPerFind: number;
  readonly bytesPerFind: number;
}

/** Finds of one measurement of time, and of memory: few enough that the collector seldom comes between. */
const timedFinds = 200_000;
const weighedFinds = 500;

/** Finds before anything is measured: enough for the compiler to be done. */
const warmUpFinds = 100_000;

/** How often each is measured; the median counts. */
const measurements = 9;

const sizes = [10, 1_000] as const;

/** Five routes of one resource, as AIP has them, so that a thousand routes are two hundred resources. */
const shapes = ["GET /", "POST /", "GET /{id}", "PATCH /{id}", "POST /{id}:cancel"] as const;

/**
 * What it costs to find the route of a request, among ten routes and a thousand, in process CPU time: each of a kind of
 * request, asked of all resources in turn. The finds ask for what they need themselves: splitting the path is in it.
 */
export function measureRouting(): RoutingRow[] {
  return sizes.flatMap((routes) => {
    const trie = trieOf(routes);
    const resources = routes / shapes.length;
    return requests.map(({ name, ask }) => measured(name, { trie, routes, resources, ask }));
  });
}

type Ask = (resource: number) => readonly [method: string, path: string];

const requests: readonly { readonly name: string; readonly ask: Ask }[] = [
  { name: "a collection", ask: (n) => ["GET", `/v1/things${n}`] },
  { name: "an item", ask: (n) => ["GET", `/v1/things${n}/0190a6f2-7a3c`] },
  { name: "an escaped id", ask: (n) => ["GET", `/v1/things${n}/a%2Fb`] },
  { name: "a custom verb", ask: (n) => ["POST", `/v1/things${n}/0190a6f2-7a3c:cancel`] },
  { name: "a path nobody has", ask: (n) => ["GET", `/v1/others${n}/0190a6f2-7a3c`] },
];

function trieOf(routes: number): RouteTrie<string> {
  const trie = new RouteTrie<string>();
  for (let i = 0; i < routes; i++) {
    const [method = "", tail = ""] = (shapes[i % shapes.length] ?? "").split(" ");
    const resource = `/v1/things${Math.floor(i / shapes.length)}`;
    trie.insert(method, parseTemplate(resource + (tail === "/" ? "" : tail)), `${method} ${resource}${tail}`);
  }
  return trie;
}

interface Case {
  readonly trie: RouteTrie<string>;
  readonly routes: number;
  readonly resources: number;
  readonly ask: Ask;
}

function measured(request: string, { trie, routes, resources, ask }: Case): RoutingRow {
  const course = new Course(
    trie,
    Array.from({ length: resources }, (_, n) => ask(n)),
  );
  course.run(warmUpFinds);
  const ns = medianOf(() => course.nsOf(timedFinds));
  const bytes = medianOf(() => course.bytesOf(weighedFinds));
  return { request, routes, nsPerFind: ns / timedFinds, bytesPerFind: bytes / weighedFinds };
}

/** Finds in a row, each of another resource than the one before. */
class Course {
  readonly #trie: RouteTrie<string>;
  readonly #asked: readonly (readonly [method: string, path: string])[];
  #finds = 0;

  constructor(trie: RouteTrie<string>, asked: readonly (readonly [method: string, path: string])[]) {
    this.#trie = trie;
    this.#asked = asked;
  }

  /** How many of so many finds find something. */
  run(finds: number): number {
    let found = 0;
    for (let i = 0; i < finds; i++) {
      const [method, path] = this.#asked[++this.#finds % this.#asked.length] ?? ["GET", "/"];
      if (this.#trie.find(method, path) !== undefined) found++;
    }
    return found;
  }

  nsOf(finds: number): number {
    const before = process.cpuUsage();
    this.run(finds);
    const { user, system } = process.cpuUsage(before);
    return (user + system) * 1_000;
  }

  bytesOf(finds: number): number {
    const before = process.memoryUsage().heapUsed;
    this.run(finds);
    return process.memoryUsage().heapUsed - before;
  }
}

function medianOf(measure: () => number): number {
  const values = Array.from({ length: measurements }, measure).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
