import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Event } from "../../../../gen/heddle/event/v1/event_pb.ts";
import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { eventually } from "../../../testing/eventually.ts";
import { Program } from "../../../testing/program.ts";
import { freshService, freshType, idsBySubject, orderEvents, registry } from "./events.ts";
import { removeQueues, sharedBroker } from "./shared-broker.ts";

const amqpUrl = sharedBroker();
let [folder, service, type] = ["", "", ""];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-replicas-"));
  await writeFile(join(folder, "taken"), "");
  [service, type] = [freshService(), freshType()];
});
afterEach(async () => {
  await removeQueues(amqpUrl, service);
  await rm(folder, { recursive: true });
});

async function openReplica(name: string): Promise<Program> {
  const env = { AMQP_URL: amqpUrl, SERVICE: service, TYPE: type, FILE: join(folder, "taken"), REPLICA: name };
  const replica = new Program({ name, file: "test/integration/amqp/consumer.ts", env });
  await eventually(`${name} is ready`, () => replica.output.includes("ready"));
  return replica;
}

/** What replicas have taken in, line by line. */
async function taken() {
  const lines = (await readFile(join(folder, "taken"), "utf8")).trimEnd().split("\n");
  return lines.filter(Boolean).map((line) => {
    const [replica = "", subject = "", id = ""] = line.split(" ");
    return { replica, subject, id };
  });
}

/** The same without those that came again: what an inbox would let through. */
function once<T extends { readonly id: string }>(events: readonly T[]): T[] {
  return [...new Map(events.toReversed().map((event) => [event.id, event])).values()].toReversed();
}

async function sendAll(events: readonly Event[]): Promise<void> {
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  for (let at = 0; at < events.length; at += 500) await sink.send(events.slice(at, at + 500));
}

const bySubject = (events: readonly { readonly subject: string; readonly id: string }[]) =>
  idsBySubject(events as Event[]);

test("a consumer that is killed again and again loses nothing, and what comes again keeps its order", async () => {
  const events = orderEvents(type, 4_000);
  await (await openReplica("first")).end("SIGTERM");
  await sendAll(events);
  for (let life = 1; life <= 3; life++) {
    const before = (await taken()).length;
    await using replica = await openReplica(`life-${life}`);
    await eventually("it has taken some in", async () => (await taken()).length > before + 300);
    await replica.end("SIGKILL");
  }
  await using _ = await openReplica("last");
  await eventually("all are there", async () => once(await taken()).length === events.length);
  expect(bySubject(once(await taken()))).toEqual(idsBySubject(events));
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "of two replicas one is active, and the other goes on in order after %s",
  async (signal) => {
    await using one = await openReplica("one");
    await using two = await openReplica("two");
    const events = orderEvents(type, 3_000);
    const sending = sendAll(events);
    await eventually("some are there", async () => (await taken()).length > 500);
    expect(new Set((await taken()).map(({ replica }) => replica))).toEqual(new Set(["one"]));
    await one.end(signal);
    await sending;
    await eventually("all are there", async () => once(await taken()).length === events.length);
    expect(new Set((await taken()).map(({ replica }) => replica))).toEqual(new Set(["one", "two"]));
    expect(bySubject(once(await taken()))).toEqual(idsBySubject(events));
    if (signal === "SIGTERM") expect(await taken()).toHaveLength(events.length); // nothing came twice
    expect(two.running).toBe(true);
  },
);
