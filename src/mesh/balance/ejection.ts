/** Below this many endpoints up to half may be ejected, from there on up to this part. */
const smallFleet = 10;
const smallFleetRatio = 0.5;
const fleetRatio = 0.3;

/** With a smaller part healthy than this, health is ignored. */
const panicRatio = 0.5;

/**
 * Whether one more of `total` endpoints may be left alone where `ejected` are already: at most half, rounded down, of
 * fewer than ten, else three in ten. So two or three replicas are never all ejected, and what fails everywhere, such as
 * their common database, does not take the healthy capacity away as well. A lone endpoint may be: its callers are
 * refused at once instead of waiting on what does not work.
 */
export function mayEject(ejected: number, total: number): boolean {
  if (total === 1) return true;
  return ejected + 1 <= Math.floor(total * (total < smallFleet ? smallFleetRatio : fleetRatio));
}

/**
 * Who may be picked: the healthy, or all while fewer than half are. What then looks like many endpoints failing at once
 * is more likely our own view of them, and if it is not, the few that are left could not carry the load. A lone
 * endpoint is no crowd: what is said of it holds.
 */
export function pickable<T>(healthy: readonly T[], all: readonly T[]): readonly T[] {
  return all.length > 1 && healthy.length < all.length * panicRatio ? all : healthy;
}
