import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { registry } from "./events.ts";

/**
 * One replica of a service that follows events, as a process of its own: what it takes in is a line of a file, "replica
 * subject id".
 */
const {
  AMQP_URL: amqpUrl = "",
  SERVICE: service = "",
  TYPE: type = "",
  FILE: file = "",
  REPLICA: replica = "",
} = process.env;

const source = await openAmqpSource({
  ...{ amqpUrl, service, types: [type], registry, prefetch: 100 },
  async takeIn({ events }) {
    await sleep(10); // so that it is killed in the middle of something
    appendFileSync(file, events.map(({ subject, id }) => `${replica} ${subject} ${id}\n`).join(""));
  },
});
process.stdout.write("ready\n");
process.once("SIGTERM", () => void source[Symbol.asyncDispose]());
