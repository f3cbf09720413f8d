import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store, type StoreOptions } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";

/** Replicas of one service over one fresh database. */
export interface Replicas<S extends DescService> extends AsyncDisposable {
  /** A client of each replica. */
  readonly clients: readonly Client<S>[];
  readonly stores: readonly Store[];
}

/** What a service is made of. */
export interface ServiceParts<S extends DescService> {
  readonly service: S;
  readonly rows: Pick<StoreOptions, "name" | "entities" | "migrationsDir">;
  readonly implement: (store: Store) => ServiceImpl<S>;
}

/** Opens `count` replicas, each with a store of its own, called in memory. */
export async function openReplicas<S extends DescService>(
  kind: DatabaseKind,
  { service, rows, implement }: ServiceParts<S>,
  count = 1,
): Promise<Replicas<S>> {
  const database = await openDatabase(kind);
  const stores = await Promise.all(Array.from({ length: count }, () => openStore({ ...rows, ...database })));
  const clients = stores.map((store) => clientOf(service, implement(store)));
  return {
    clients,
    stores,
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** A client of an implementation in this process. */
export function clientOf<S extends DescService>(service: S, implementation: Partial<ServiceImpl<S>>): Client<S> {
  const transport = createRouterTransport((router) => router.service(service, implementation));
  return createClient(service, transport);
}
