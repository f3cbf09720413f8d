import type { EnvReader } from "../../base/env.ts";
import { checkAmqpUrl } from "./amqp-url.ts";

const urlAbout = "amqp://user:password@host:5672/vhost, or amqps://; if empty, events travel from service to service";

/** How events travel, as the environment says it. */
export function amqpSettings(read: EnvReader) {
  return {
    amqpUrl: read.secret("AMQP_URL", "", urlAbout, checkAmqpUrl) ?? "",
    amqpQueues: read.choice(
      "AMQP_QUEUES",
      ["quorum", "classic"],
      "quorum",
      "quorum: replicated by RabbitMQ's cluster; classic: on one of its nodes",
    ),
    eventFormat: read.choice(
      "EVENT_FORMAT",
      ["protobuf", "json"],
      "protobuf",
      "payload of the events sent to RabbitMQ; both are understood",
    ),
  };
}
