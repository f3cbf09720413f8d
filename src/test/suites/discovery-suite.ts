import { expect, test } from "vitest";
import { Lease } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { discoveryRows } from "../../services/discovery/instance-entity.ts";
import type { Probe } from "../../services/discovery/probes.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { away, healthy, openTestDiscovery, testInstance } from "./discovery-parts.ts";
import { schemaSuite } from "./schema-suite.ts";

const keptAlive = { instance: testInstance({ metadata: { admin: "127.0.0.1:9001" } }), lease: Lease.KEPT_ALIVE };

/** Two lives of discovery over the same rows. */
async function openLives(kind: DatabaseKind) {
  const database = await openDatabase(kind);
  const clock = fakeClock();
  const live = (probe: Probe = async () => healthy) => openTestDiscovery({ database, clock, probe });
  return { clock, live, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

/** What discovery keeps over a restart, on a database of this kind. */
export function discoverySuite(kind: DatabaseKind): void {
  schemaSuite(kind, discoveryRows);

  test("what was registered is known after a restart, with all that was said of it", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register(keptAlive);
      await first.consulClient.registerAgentService({ name: "flask", port: 5001, check: { tcp: "localhost:5002" } });
      await first.client.register({ instance: testInstance({ id: "user-2", port: 8011 }) });
      await first.client.deregister({ id: "user-2" });
    }
    await using second = await lives.live();
    expect(second.registry.all()).toMatchObject([
      { term: "until-deregistered", probeAddress: "localhost:5002", instance: { id: "flask", port: 5001 } },
      { term: "kept-alive", instance: { id: "user-1", metadata: { admin: "127.0.0.1:9001" }, status: Status.HEALTHY } },
    ]);
  });

  test("a registration that was acknowledged survives discovery being killed", async () => {
    await using lives = await openLives(kind);
    await using killed = await lives.live(); // still open while the next one reads: nothing was written at its end
    await killed.client.register(keptAlive);
    await using second = await lives.live();
    expect(second.registry.get("user-1")?.instance.name).toBe("user");
  });

  test("versions go on from above any that an earlier life told, even one that was killed", async () => {
    await using lives = await openLives(kind);
    let highest = 0n;
    for (let life = 0; life < 3; life++) {
      const discovery = await lives.live(); // never closed properly
      expect(discovery.registry.version).toBeGreaterThan(highest);
      for (let turn = 0; turn < 5; turn++) await discovery.client.register(keptAlive);
      await discovery.client.deregister({ id: "user-1" });
      highest = (await discovery.client.resolve({ service: "user" })).version;
    }
  });

  test("after a restart every lease has its full span, however long discovery was away", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register(keptAlive);
      await lives.clock.advance(14_000);
    }
    await lives.clock.advance(3_600_000);
    await using second = await lives.live();
    await lives.clock.advance(14_500);
    expect((await second.client.resolve({ service: "user" })).instances).toHaveLength(1);
    await lives.clock.advance(1_000);
    expect((await second.client.resolve({ service: "user" })).instances).toHaveLength(0);
  });

  test("what died while discovery was away is not handed out after it", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register(keptAlive);
    }
    await using second = await lives.live(async () => away);
    expect((await second.client.resolve({ service: "user" })).instances).toEqual([]);
  });

  test("a slow check holds up a restart for 2 s at most, and what was healthy is handed out until it is known better", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register({
        instance: testInstance({ healthCheck: { timeout: { seconds: 60n } } }),
      });
    }
    let askedAt: number | undefined;
    let opened = false;
    const opening = lives.live(() => {
      askedAt ??= lives.clock.now();
      return new Promise(() => {});
    });
    void opening.then(() => {
      opened = true;
    });
    while (!opened) await lives.clock.advance(askedAt === undefined ? 0 : 100);
    expect(lives.clock.now() - (askedAt ?? 0)).toBe(2_000);
    await using second = await opening;
    expect((await second.client.resolve({ service: "user" })).instances).toHaveLength(1);
  });

  test("a lapsed lease stays lapsed over a restart", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register(keptAlive);
      await lives.clock.advance(16_000);
    }
    await using second = await lives.live();
    await lives.clock.advance(30_000);
    const { instances } = await second.client.resolve({ service: "user", includeUnhealthy: true });
    expect(instances).toMatchObject([{ status: Status.UNAVAILABLE, statusReason: expect.stringContaining("lease") }]);
  });

  test("a ghost that was replaced does not come back with a restart", async () => {
    await using lives = await openLives(kind);
    {
      await using first = await lives.live();
      await first.client.register({ instance: testInstance({ id: "old" }) });
      await first.client.register({ instance: testInstance({ id: "new" }) });
    }
    await using second = await lives.live();
    expect(second.registry.all().map((entry) => entry.instance.id)).toEqual(["new"]);
  });

  test("registrations at the same time end the same in memory and on disk", async () => {
    await using lives = await openLives(kind);
    const kept = async () => {
      await using first = await lives.live();
      const turns = Array.from({ length: 40 }, (_, turn) =>
        turn % 4 === 3
          ? first.client.deregister({ id: `i${turn % 5}` })
          : first.client.register({ instance: testInstance({ id: `i${turn % 5}`, port: 1 + (turn % 7) }) }),
      );
      await Promise.all(turns);
      return first.registry.all().map(({ instance: { id, port } }) => [id, port]);
    };
    const before = await kept();
    await using second = await lives.live();
    expect(second.registry.all().map(({ instance: { id, port } }) => [id, port])).toEqual(before);
  });
}
