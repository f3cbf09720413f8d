import { expect, test } from "vitest";
import { openWorkShares, type WorkShares } from "../../events/shares/work-shares.ts";
import { userEventRows, userRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import type { Work } from "../../store/unit.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";

/** A replica: a store of its own on the same database, and a clock of its own, which only the test moves. */
interface Replica {
  readonly store: Store & { away: boolean };
  readonly clock: FakeClock;
  readonly shares: WorkShares;
  /** Resolves when no transaction is under way. */
  idle(): Promise<void>;
  leave(): Promise<void>;
}

/** Counts the transactions of a store that are under way; while `away`, there are none. */
function counting(store: Store) {
  const underWay = new Set<Promise<unknown>>();
  const counted = {
    ...store,
    away: false,
    unit<T>(work: Work<T>): Promise<T> {
      const done = counted.away ? Promise.reject<T>(new Error("away")) : store.unit(work);
      const noted = done.catch(() => {}).finally(() => underWay.delete(noted));
      underWay.add(noted);
      return done;
    },
  };
  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };
  return { counted, idle };
}

/** What replicas that share work promise each other, whatever the database. */
export function workSharesSuite(kind: DatabaseKind): void {
  async function open(count: number) {
    const database = await openDatabase(kind);
    const replicas: Replica[] = [];
    const stores: Store[] = [];
    const add = async ({ at, letGo }: { letGo?: (slots: ReadonlySet<number>) => Promise<void>; at?: number } = {}) => {
      const store = await openStore({ ...userRows, ...database });
      stores.push(store);
      const { counted, idle } = counting(store);
      const clock = fakeClock(at);
      const holder = `replica ${replicas.length}`;
      const parts = { store: counted, rows: userEventRows.leases, work: "relay", holder, clock, random: () => 0.5 };
      const shares = openWorkShares({ ...parts, ...(letGo && { letGo }) });
      const replica = { store: counted, clock, shares, idle, leave: async () => shares[Symbol.asyncDispose]() };
      replicas.push(replica);
      return replica;
    };
    for (let replica = 0; replica < count; replica++) await add();
    return {
      add,
      replicas,
      async [Symbol.asyncDispose]() {
        for (const { leave } of replicas) await leave();
        for (const store of stores) await store[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  }

  test("one replica has all slots; a second gets half of them, and when it leaves the first has all again", async () => {
    await using shop = await open(1);
    const { replicas } = shop;
    await until(replicas, "8");
    const second = await shop.add();
    await until(replicas, "4,4");
    await second.leave();
    expect(sizes(replicas)).toBe("4,0");
    await until(replicas, "8,0", 6); // within two rounds: what is given back is free at once
  });

  test("three replicas that start together come to fair shares, each slot once, and keep them", async () => {
    await using shop = await open(3);
    await until(shop.replicas, "3,3,2");
    const before = slotsOf(shop.replicas);
    await step(shop.replicas, 40);
    expect(slotsOf(shop.replicas)).toEqual(before);
  });

  test("a replica that dies is followed by the other after its term, never sooner", async () => {
    await using shop = await open(2);
    await until(shop.replicas, "4,4");
    const [dead = expect.fail(), alive = expect.fail()] = shop.replicas;
    await step([alive], 10); // the dead one's clock stands still: what it wrote last is at most a round old
    expect(alive.shares.held.value.size).toBe(4);
    await until([alive], "8");
    dead.store.away = true;
    await step([dead], 12);
    expect(dead.shares.held.value.size).toBe(0); // by its own clock its term is over, too
  });

  test("calendars that differ by an hour or are set back take no slot from one that lives, nor keep one from others", async () => {
    await using shop = await open(1);
    const { replicas } = shop;
    const [first = expect.fail()] = replicas;
    await until(replicas, "8");
    const second = await shop.add({ at: first.clock.now() + 3_600_000 });
    await until(replicas, "4,4");
    const before = slotsOf(replicas);
    second.clock.jump(-7_200_000);
    await step(replicas, 40);
    first.clock.jump(-2_000); // just as far as it went on meanwhile: what it writes then looks like what stood there before
    await step(replicas, 40);
    expect(slotsOf(replicas)).toEqual(before);
    second.store.away = true; // it dies, its last word a day away from the other's calendar
    first.clock.jump(-86_400_000);
    await until([first], "8");
  });

  test("a slot is nobody else's before what was being done for it has ended", async () => {
    await using shop = await open(0);
    const { replicas } = shop;
    const ended = Promise.withResolvers<void>();
    const letGo = (slots: ReadonlySet<number>) => (slots.size === 4 ? ended.promise : Promise.resolve());
    await shop.add({ letGo });
    await until(replicas, "8");
    await shop.add();
    await until(replicas, "4,0");
    await step(replicas, 40);
    expect(sizes(replicas)).toBe("4,0");
    ended.resolve();
    await until(replicas, "4,4");
  });

  test("while the database is away slots are let go after their term, and held again when it is back", async () => {
    await using shop = await open(1);
    const { replicas } = shop;
    const [{ store } = expect.fail()] = replicas;
    await until(replicas, "8");
    store.away = true;
    await step(replicas, 6);
    expect(sizes(replicas)).toBe("8"); // nobody else may have them yet
    await until(replicas, "0", 7);
    store.away = false;
    await until(replicas, "8");
  });
}

const sizes = (replicas: readonly Replica[]) => replicas.map(({ shares }) => shares.held.value.size).join();
const slotsOf = (replicas: readonly Replica[]) => replicas.map(({ shares }) => [...shares.held.value]);

/** Moves the clocks on, half a second at a time. No slot is anybody's twice at any time. */
async function step(replicas: readonly Replica[], times = 1): Promise<void> {
  for (let time = 0; time < times; time++) {
    for (const { clock } of replicas) await clock.advance(500);
    for (const { idle } of replicas) await idle();
    const slots = slotsOf(replicas).flat();
    expect(new Set(slots).size).toBe(slots.length);
  }
}

/** Steps until so many slots are held by each replica. */
async function until(replicas: readonly Replica[], wanted: string, maxSteps = 60): Promise<void> {
  for (let time = 0; time < maxSteps && sizes(replicas) !== wanted; time++) await step(replicas);
  expect(sizes(replicas)).toBe(wanted);
}
