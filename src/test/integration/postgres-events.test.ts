import { describe, expect, test } from "vitest";
import { OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import { type OpenReplica, openPublishers, publishOrder, shown } from "../suites/publisher-parts.ts";
import { publisherSuite } from "../suites/publisher-suite.ts";
import { relaySuite } from "../suites/relay-suite.ts";
import { workSharesSuite } from "../suites/work-shares-suite.ts";

// What the unit tests say of SQLite, said of the PostgreSQL server that HEDDLE_TEST_POSTGRES names.
describe("shares of work on PostgreSQL", () => workSharesSuite("postgres"));
describe("a service's events on PostgreSQL", () => publisherSuite("postgres"));
describe("the way to a broker on PostgreSQL", () => relaySuite("postgres"));

test("transactions that commit in another order than they wrote get positions as they commit, and nothing comes before what was read", async () => {
  await using shop = await openPublishers("postgres");
  const [one, other] = [await shop.open(), await shop.open()];
  const slow = held(one, "slow", "1");
  await slow.written;
  await publishOrder(other, "quick");
  await published(other, ["quick/"]); // though its seq is the later one
  const waiting = held(other, "slow", "2");
  slow.commit();
  await slow.done;
  await waiting.written;
  waiting.commit();
  await waiting.done;
  await published(one, ["quick/", "slow/1", "slow/2"]);
});

/** A unit that stays open until it is told to commit; it holds the lock of what it changes, as every change does. */
function held({ store, outbox }: OpenReplica, id: string, reason: string) {
  const [written, committing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = store.unit(async (em) => {
    await em.execute("select pg_advisory_xact_lock(1)");
    await outbox.append(em, OrderCreatedSchema, { order: { id, cancelReason: reason } });
    written.resolve();
    await committing.promise;
  });
  return { written: written.promise, commit: committing.resolve, done };
}

/** Waits until these, and no others, are in the log, newest first without payload. */
async function published({ events = expect.fail() }: OpenReplica, wanted: readonly string[]): Promise<void> {
  await eventually(`published: ${wanted.join()}`, async () => {
    const { events: all } = await events.listEvents({});
    const known = all.filter(({ position }) => position > 0n).sort((a, b) => Number(a.position - b.position));
    const full = await Promise.all(known.map(async ({ id }) => (await events.getEvent({ id })).event));
    return (
      full.map((event) => event && shown(event)).join() === wanted.join() &&
      full.every((event, at) => event?.position === BigInt(at + 1))
    );
  });
}
