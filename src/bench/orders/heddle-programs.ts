import { type Cluster, openCluster, type PartName } from "../../testing/open-cluster.ts";
import { openReader, type Reader } from "./rows-of.ts";

/** What Heddle's services stand on. */
export interface HeddleOptions {
  readonly name: string;
  /** RabbitMQ; unset, events travel by the stream. */
  readonly amqpUrl?: string;
  /** The database of a service: a PostgreSQL URL; unset, SQLite files in a folder of its own. */
  readonly databaseOf?: (service: string) => Promise<string>;
}

/** Heddle's programs, running, and their databases, which may be read from outside. */
export interface HeddlePrograms extends AsyncDisposable {
  readonly cluster: Cluster;
  /** What `openStore` takes to open the database of a service. */
  placeOf(part: PartName): { readonly databaseUrl: string; readonly dataDir: string };
  read(part: PartName): Promise<Reader>;
}

/** One process of each of these programs, with everything on that they have by default. */
export async function openPrograms(
  parts: readonly PartName[],
  { amqpUrl = "", databaseOf }: HeddleOptions,
): Promise<HeddlePrograms> {
  await using opened = new AsyncDisposableStack();
  const urls = new Map<PartName, string>();
  if (databaseOf) for (const part of parts) urls.set(part, await databaseOf(part));
  const envOf = Object.fromEntries([...urls].map(([part, url]) => [part, { DATABASE_URL: url }]));
  const replicas = Object.fromEntries(parts.map((part) => [part, 1]));
  const env = { LOG_LEVEL: "warn", AMQP_URL: amqpUrl };
  const cluster = opened.use(await openCluster({ replicas, env, envOf, onFailure: () => {} }));
  const { dataDir } = cluster;
  const closing = opened.move();
  return {
    cluster,
    placeOf: (part) => ({ databaseUrl: urls.get(part) ?? "", dataDir }),
    read: async (part) => closing.use(await openReader(urls.get(part) ?? `${dataDir}/${part}.db`)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
