import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { type Mesh, type MeshOptions, openMesh } from "../mesh/mesh.ts";
import { jwksPath, type KeyFolder } from "../security/signing-keys.ts";
import { developmentTokens, ensureKeys, issueToken } from "../security/token-service.ts";
import { freePort } from "./free-port.ts";
import { Replica } from "./replica.ts";

/** The programs there are, by what people call them, in the order in which they start. */
const files = {
  discovery: "services/discovery/main.ts",
  user: "services/user/main.ts",
  catalog: "services/catalog/main.ts",
  order: "services/order/main.ts",
  gateway: "gateway/main.ts",
} as const;

/** A program's name. */
export type PartName = keyof typeof files;

/** Which programs run, and with what. */
export interface ClusterOptions {
  /** How many of each; discovery runs unless it says 0. */
  readonly replicas: Partial<Readonly<Record<PartName, number>>>;
  /** Settings beside addresses and data: of all programs, and of those of one name. */
  readonly env?: Readonly<Record<string, string>>;
  readonly envOf?: Partial<Readonly<Record<PartName, Readonly<Record<string, string>>>>>;
  /** Registers what to do when the test fails, as vitest's `onTestFailed` does: the logs are shown then. */
  readonly onFailure: (show: () => void) => unknown;
}

/** A system of real programs, each a process of its own on free ports of this machine. Closing it ends them all. */
export class Cluster implements AsyncDisposable {
  /** Where discovery listens: "host:port". */
  readonly discoveryAddress: string;
  /** Where the programs keep their files. */
  readonly dataDir: string;
  readonly #options: ClusterOptions;
  readonly #replicas: Replica[] = [];
  readonly #keys: KeyFolder;

  constructor(options: ClusterOptions, dataDir: string, discoveryAddress: string) {
    this.#options = options;
    this.dataDir = dataDir;
    this.#keys = { folder: join(dataDir, "keys"), clock: systemClock };
    this.discoveryAddress = discoveryAddress;
  }

  /** What a caller sends as `authorization` that all programs take: a token of an hour, of Ada, with these scopes. */
  async bearer(...scopes: readonly string[]): Promise<string> {
    const { audience } = developmentTokens;
    return `Bearer ${await issueToken(this.#keys, { subject: "ada", scopes, audience, ttlMs: 3_600_000 })}`;
  }

  /** The n-th replica of a program, from 0. */
  replica(name: PartName, index = 0): Replica {
    const found = this.#replicas.filter((replica) => replica.part === name)[index];
    if (found === undefined) throw new RangeError(`the cluster has no ${name} ${index}`);
    return found;
  }

  /** Makes the keys by which programs prove callers. */
  async makeKeys(): Promise<void> {
    await ensureKeys(this.#keys);
  }

  /** Starts one more program, on `port` or a free one; resolves when it is ready. */
  async start(
    part: PartName,
    { port, env = {} }: { port?: number; env?: Record<string, string> } = {},
  ): Promise<Replica> {
    const replica = new Replica({
      part,
      file: files[part],
      port: port ?? (await freePort()),
      adminPort: await freePort(),
      env: {
        HEDDLE_DISCOVERY: this.discoveryAddress,
        HEDDLE_DATA: this.dataDir,
        AUTH_JWKS: jwksPath(this.#keys.folder),
        AUTH_ISSUER: developmentTokens.issuer,
        AUTH_AUDIENCE: developmentTokens.audience,
        ...this.#options.env,
        ...this.#options.envOf?.[part],
        ...env,
      },
    });
    this.#replicas.push(replica);
    await replica.start();
    return replica;
  }

  /** A mesh in this process, over the cluster's discovery. Its own to close. */
  openMesh(options: MeshOptions = {}): Promise<Mesh> {
    return openMesh({ discovery: this.discoveryAddress, log: silentLogger, ...options });
  }

  /** What every program has written, each under its name. */
  logs(): string {
    return this.#replicas.map((replica) => `--- ${replica.name}\n${replica.output}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.kill()));
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/**
 * Starts the real programs over a folder and a discovery of their own; resolves when all are ready.
 *
 *     await using cluster = await openCluster({ replicas: { user: 2 }, onFailure: onTestFailed });
 *     await cluster.replica("user", 1).kill();
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-cluster-"));
  const discoveryPort = await freePort();
  const cluster = new Cluster(options, dataDir, `127.0.0.1:${discoveryPort}`);
  options.onFailure(() => process.stderr.write(cluster.logs()));
  const { discovery = 1, ...others } = options.replicas;
  try {
    await cluster.makeKeys();
    if (discovery > 0) await cluster.start("discovery", { port: discoveryPort });
    const starting = (Object.keys(others) as (keyof typeof others)[]).flatMap((name) =>
      Array.from({ length: others[name] ?? 0 }, () => cluster.start(name)),
    );
    await Promise.all(starting);
    return cluster;
  } catch (reason) {
    await cluster[Symbol.asyncDispose]();
    throw reason;
  }
}
