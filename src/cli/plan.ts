import { fileURLToPath } from "node:url";
import aggregates from "./aggregates.json" with { type: "json" };

/** One process of the mesh that `up` starts. */
export interface Part {
  readonly name: string;
  readonly port: number;
  /** Where its pages for machines are. */
  readonly adminPort: number;
  /** The file that Node runs. */
  readonly program: string;
  /** What it is told beyond what every part is. */
  readonly env: Readonly<Record<string, string>>;
  /** Who stands on whom: `down` stops the highest stage first. */
  readonly stage: number;
}

/** Whether this is the source, run by Node's type stripping, or what was built of it. */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** The file that runs a part: `program("services/user")`. Found beside this one, in `src/` and in `dist/` alike. */
export function program(folder: string): string {
  return fileURLToPath(new URL(`../${folder}/main.${extension}`, import.meta.url));
}

/** What people type to run a command: make's target in the project, the package's program elsewhere. */
export function typed(command: string): string {
  return extension === "ts" ? `make ${command}` : `npx heddle ${command}`;
}

const part = (name: string, port: number, rest: Pick<Part, "stage"> & Partial<Part>): Part => ({
  name,
  port,
  adminPort: port + 1_000,
  program: program(`services/${name}`),
  env: {},
  ...rest,
});

/** Everything that `up` starts, in the order it is shown (DESIGN §5). */
export const plan: readonly Part[] = [
  part("discovery", 8500, { stage: 0 }),
  part("user", 8001, { stage: 1 }),
  part("user", 8011, { stage: 1 }),
  part("catalog", 8003, { stage: 1, env: { SEED: "true" } }),
  part("order", 8002, { stage: 2 }),
  part("order", 8012, { stage: 2 }),
  part("gateway", 8000, { stage: 3, program: program("gateway"), env: { AGGREGATES: JSON.stringify(aggregates) } }),
];

/** Where every part listens: `up` is for one machine. */
export const host = "127.0.0.1";

/** Where the discovery of a plan is reached. */
export function discoveryOf(plan: readonly Part[]): string {
  return `${host}:${plan.find(({ name }) => name === "discovery")?.port}`;
}

/** What a part is told by its environment: what the plan says, what it inherits, and where all parts are. */
export function environmentOf(part: Part, { env, home, discovery }: PlanSettings): NodeJS.ProcessEnv {
  return {
    ...part.env,
    ...env,
    NODE_COMPILE_CACHE: `${home}/cache`, // compiled code kept: the second start is a quick one
    HOST: host,
    PORT: String(part.port),
    ADMIN_PORT: String(part.adminPort),
    HEDDLE_DISCOVERY: discovery,
    HEDDLE_DATA: `${home}/data`,
  };
}

/** What the parts share. */
export interface PlanSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly discovery: string;
}
