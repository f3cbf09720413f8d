import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jwksPath } from "../security/signing-keys.ts";
import { developmentTokens } from "../security/token-service.ts";
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

/** What people type to run a command, maybe with arguments: make's target in the project, the package's program elsewhere. */
export function typed(command: string, args = ""): string {
  if (extension === "ts") return args === "" ? `make ${command}` : `make ${command} ARGS='${args}'`;
  return args === "" ? `npx heddle ${command}` : `npx heddle ${command} ${args}`;
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
    ...(usesOwnKeys(env) && {
      AUTH_JWKS: jwksPath(keysFolder(home)),
      AUTH_ISSUER: developmentTokens.issuer,
      AUTH_AUDIENCE: env.AUTH_AUDIENCE || developmentTokens.audience,
    }),
    ...(part.name !== "gateway" && plainText),
  };
}

/** A certificate is the gateway's, for the world: the others are at home on this machine. */
const plainText = { TLS_CERT_FILE: "", TLS_KEY_FILE: "", TLS_CLIENT_CA_FILE: "" };

/** How the gateway that `up` starts is reached. */
export function gatewayScheme({ TLS_CERT_FILE }: NodeJS.ProcessEnv): "http" | "https" {
  return TLS_CERT_FILE ? "https" : "http";
}

/** Where `heddle token` keeps its keys. */
export function keysFolder(home: string): string {
  return join(home, "keys");
}

/** Whether what `up` starts takes the tokens of `heddle token`: where nobody says whose tokens are to be taken. */
export function usesOwnKeys({ AUTH_JWKS, AUTH_HS256_SECRET_FILE, NODE_ENV }: NodeJS.ProcessEnv): boolean {
  return !AUTH_JWKS && !AUTH_HS256_SECRET_FILE && NODE_ENV !== "production";
}

/** What the parts share. */
export interface PlanSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly discovery: string;
}
