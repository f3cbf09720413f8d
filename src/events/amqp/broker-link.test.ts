import { expect, test } from "vitest";
import { jsonLogger } from "../../base/log.ts";
import { eventually } from "../../testing/eventually.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { freePort } from "../../testing/free-port.ts";
import { BrokerLink } from "./broker-link.ts";

const moveIn = () => Promise.reject(new Error("nobody can have connected"));

async function openLink() {
  const [clock, lines] = [fakeClock(), [] as string[]];
  const log = jsonLogger({ write: (line) => void lines.push(line) });
  const amqpUrl = `amqp://shop:topsecret@127.0.0.1:${await freePort()}`;
  const link = await BrokerLink.open({ amqpUrl, name: "test", clock, random: () => 1, log, moveIn });
  return { link, clock, lines };
}

test("while RabbitMQ is away it is tried again after waits that double up to five seconds", async () => {
  const { link, clock } = await openLink();
  await using _ = link;
  const waits = [200, 400, 800, 1_600, 3_200, 5_000, 5_000];
  for (const [tries, wait] of waits.entries()) {
    await eventually(`it waits for the ${tries + 1}th time`, () => clock.sleeps.length > tries);
    await clock.advance(wait);
  }
  expect(clock.sleeps.slice(0, waits.length)).toEqual(waits);
});

test("that RabbitMQ is away is told at once and then once a minute, without the password", async () => {
  const { link, clock, lines } = await openLink();
  await using _ = link;
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/RabbitMQ is away.*ECONNREFUSED/);
  for (let tries = 1; tries <= 20; tries++) {
    await eventually("it waits", () => clock.sleeps.length >= tries);
    await clock.advance(5_000);
  }
  expect(lines).toHaveLength(2);
  expect(lines.join("")).not.toContain("topsecret");
});

test("closing ends the tries at once and leaves no timer behind", async () => {
  const { link, clock } = await openLink();
  await link[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
  const tries = clock.sleeps.length;
  await clock.advance(60_000);
  expect(clock.sleeps).toHaveLength(tries);
});

test.each(["", "http://broker"])(
  "the URL %j is refused before anything is tried, with its setting's name",
  async (amqpUrl) => {
    await expect(BrokerLink.open({ amqpUrl, name: "test", moveIn })).rejects.toThrow(
      /^AMQP_URL .*amqp:\/\/user:password@host/,
    );
  },
);
