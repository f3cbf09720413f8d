import { expect, test } from "vitest";
import { simulate } from "../../testing/sim/simulate.ts";
import { Back } from "./hop.ts";
import { Ledger, stage } from "./stage.ts";

const serving = (now: () => number) => stage({ ledger: new Ledger(), moods: new Map(), now });

test("a connection that somebody on the way has forgotten costs calls for seconds, not for a minute", () =>
  simulate({ seeds: 10 }, async (world) => {
    const back = serving(() => world.now);
    await world.serve("back", (on) => [[Back, back(on)]]);
    const client = (await world.caller("caller")).client(Back);
    await client.get({ id: "before" });
    world.strike({ kind: "sever", host: "caller", other: "back-1" });
    for (let i = 0; i < 4; i++) await client.get({ id: `lost ${i}` }).catch(() => {});
    await world.sleep(8_000); // its circuit opened, for a second or two
    expect((await client.get({ id: "after" })).id).toBe("after");
  }));

test("servers whose connection to the registry was forgotten on the way stay registered", () =>
  simulate({ seeds: 10 }, async (world) => {
    const back = serving(() => world.now);
    await world.serve("back", (on) => [[Back, back(on)]], { replicas: 3 });
    await world.sleep(world.random.between(5_000, 15_000));
    world.strike({ kind: "sever", host: "registry", other: "*" });
    for (let second = 0; second < 60; second++) {
      await world.sleep(1_000);
      const known = world.registry.instances(Back.typeName).map(({ id }) => id);
      expect(known, `after ${second} s`).toHaveLength(3);
    }
  }));
