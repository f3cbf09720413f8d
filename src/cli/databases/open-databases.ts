import { type Clock, systemClock } from "../../base/clock.ts";
import { pinTogether } from "./pin-together.ts";
import type { Holdable, Snapshot } from "./snapshot.ts";
import { openSqlite } from "./sqlite-snapshot.ts";
import type { Keeper, Place } from "./where.ts";

/** Snapshots of several databases, all of one instant; closing lets go of them. */
export interface Pinned<S extends Snapshot = Snapshot> extends AsyncDisposable {
  readonly snapshots: ReadonlyMap<Keeper, S>;
}

/** Opens databases and takes a snapshot of each, all of the same instant. */
export async function openSnapshots(places: readonly Place[], clock: Clock = systemClock): Promise<Pinned> {
  await using opening = new AsyncDisposableStack();
  const holdables: Holdable[] = [];
  for (const place of places) holdables.push(opening.use(await openPlace(place, clock)));
  const pinned = await pinTogether(holdables, { clock });
  const snapshots = new Map(places.map(({ name }, at) => [name, pinned[at] as Snapshot]));
  const opened = opening.move();
  return { snapshots, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The driver of PostgreSQL is loaded only where it is used. */
async function openPlace({ database }: Place, clock: Clock): Promise<Holdable> {
  if (database.kind === "sqlite") return openSqlite(database.file, clock);
  const { openPostgres } = await import("./postgres-snapshot.ts");
  return openPostgres(database);
}
