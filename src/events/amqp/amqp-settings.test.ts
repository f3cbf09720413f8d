import { expect, test } from "vitest";
import { EnvReader } from "../../base/env.ts";
import { amqpSettings } from "./amqp-settings.ts";
import { brokerOf } from "./amqp-url.ts";

test("without settings events travel from service to service", () => {
  const settings = amqpSettings(new EnvReader({}));
  expect(settings).toEqual({ amqpUrl: "", amqpQueues: "quorum", eventFormat: "protobuf" });
});

test("what is set is read as it stands", () => {
  const env = { AMQP_URL: "amqps://shop:pw@broker/shop", AMQP_QUEUES: "classic", EVENT_FORMAT: "json" };
  const settings = amqpSettings(new EnvReader(env));
  expect(settings).toEqual({ amqpUrl: env.AMQP_URL, amqpQueues: "classic", eventFormat: "json" });
});

test.each([
  ["http://shop:topsecret@broker", "AMQP_URL has to be empty or a RabbitMQ URL such as amqp://"],
  ["topsecret", "AMQP_URL has to be empty or a RabbitMQ URL"],
  ["amqp://", "AMQP_URL names no host; it has to be"],
  [
    "amqp://shop:topsecret@broker/a/b",
    'AMQP_URL names a virtual host with a "/" in it, which is written %2F; it has to be',
  ],
])("%s is refused without its password", (AMQP_URL, complaint) => {
  const read = new EnvReader({ AMQP_URL });
  amqpSettings(read);
  expect(read.complaints).toHaveLength(1);
  expect(read.complaints[0]).toContain(complaint);
  expect(read.complaints[0]).not.toContain("topsecret");
});

test("messages name a broker by its host and port", () => {
  expect(brokerOf("amqp://u:p@rabbit/v")).toBe("rabbit:5672");
  expect(brokerOf("amqps://rabbit")).toBe("rabbit:5671");
  expect(brokerOf("amqp://[::1]:1234")).toBe("[::1]:1234");
});
