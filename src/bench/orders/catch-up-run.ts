import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import type { Replica } from "../../testing/replica.ts";
import { writeBacklog } from "./backlog.ts";
import { type Calls, callUntil } from "./call-load.ts";
import { type HeddleOptions, openPrograms } from "./heddle-programs.ts";
import { relayRate } from "./relay-rate.ts";
import type { Reader } from "./rows-of.ts";

/** What a backlog came to. */
export interface BacklogRound {
  readonly relayPerSecond: number;
  /** From the first event taken in to the last, and the calls meanwhile and afterwards. */
  readonly caughtUp?: { readonly perSecond: number; readonly during: Calls; readonly idle: Calls };
}

/** How many events, and whether the user service takes them in afterwards. */
export interface BacklogLoad {
  readonly events: number;
  readonly isTakenIn: boolean;
}

const idleMs = 20_000;
/** Seldom: counting so many rows is work for the machine that calls are measured on. */
const countMs = 1_000;
const giveUpMs = 180_000;
const brokerSlot = 9; // the cursor that says that the user service knows its queue

/**
 * The order service finds events that nobody has published; once they are, the user service finds them all at once. Both know
 * each other from before, as after an outage: RabbitMQ has the queue of the user service already.
 */
export async function measureBacklog(options: HeddleOptions, load: BacklogLoad): Promise<BacklogRound> {
  await using programs = await openPrograms(["discovery", "order", "user"], options);
  const { cluster, placeOf, read } = programs;
  const [order, user] = [cluster.replica("order"), cluster.replica("user")];
  const [orders, users] = [await read("order"), await read("user")];
  const id = await addUser(user);
  if (options.amqpUrl) await eventually("the queue is known", () => isQueueKnown(users), { withinMs: 30_000 });
  await Promise.all([user.terminate(), order.terminate()]);
  await writeBacklog(placeOf("order"), load.events);
  const [relayPerSecond] = await Promise.all([relayRate(orders, load.events), order.start()]);
  if (!load.isTakenIn) return { relayPerSecond };
  const takingIn = takenInRate(users, load.events);
  await Promise.race([user.start(), takingIn]);
  const caller = { address: user.address, id };
  const during = await callUntil(caller, takingIn);
  const perSecond = await takingIn;
  const idle = await callUntil(caller, sleep(idleMs));
  return { relayPerSecond, caughtUp: { perSecond, during, idle } };
}

async function addUser({ address }: Replica): Promise<bigint> {
  const users = createClient(UserService, createGrpcTransport({ baseUrl: `http://${address}` }));
  const { user } = await users.createUser({ name: "Ada", email: "ada@example.com" });
  return user?.id ?? 0n;
}

async function isQueueKnown(users: Reader): Promise<boolean> {
  return (await count(users, `user_cursors where slot = ${brokerSlot}`)) > 0;
}

/** Events a second that the user service takes in, until each has had its effect: every order is listed as confirmed. */
async function takenInRate(users: Reader, events: number): Promise<number> {
  const giveUpAt = performance.now() + giveUpMs;
  let began: { readonly at: number; readonly taken: number } | undefined;
  for (; performance.now() < giveUpAt; await sleep(countMs)) {
    const taken = await count(users, "user_inbox");
    const at = performance.now();
    if (taken > 0) began ??= { at, taken };
    if (began === undefined || taken < events) continue;
    const confirmed = await count(users, "user_orders where status = 'confirmed'");
    if (confirmed !== events / 2) throw new Error(`${confirmed} orders are confirmed after ${events} events`);
    return ((taken - began.taken) * 1_000) / (at - began.at);
  }
  throw new Error(`after ${giveUpMs} ms ${await count(users, "user_inbox")} of ${events} events are taken in`);
}

async function count(reader: Reader, what: string): Promise<number> {
  const [row] = await reader.rows(`select count(*) as n from ${what}`);
  return Number(row?.n);
}
