import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { outgoing } from "./event-message.ts";

const event = create(EventSchema, {
  ...{ id: "e1", source: "order", type: "shop.order.v1.OrderCreated", subject: "5", version: 2 },
  dataSchema: OrderCreatedSchema.typeName,
  data: toBinary(OrderCreatedSchema, create(OrderCreatedSchema, { order: { id: "5" } })),
});
const registry = createRegistry(OrderCreatedSchema);

test("a payload in Protobuf goes out as it is, and needs no registry", () => {
  const { content, options, routingKey } = outgoing(event, "protobuf", createRegistry());
  expect(content).toEqual(Buffer.from(event.data));
  expect(options).toMatchObject({ persistent: true, contentType: "application/protobuf", messageId: "e1" });
  expect(routingKey).toBe(event.type);
});

test("a payload in JSON is what Protobuf's own mapping makes of it", () => {
  const { content, options } = outgoing(event, "json", registry);
  expect(JSON.parse(content.toString())).toEqual({ order: { id: "5" } });
  expect(options).toMatchObject({ contentType: "application/json" });
});

test("attributes that an event has not are left out", () => {
  const { options } = outgoing(event, "protobuf", registry);
  expect(Object.keys(options.headers)).not.toContain("cloudEvents:traceparent");
  expect(Object.keys(options.headers)).not.toContain("cloudEvents:time");
  expect(options.timestamp).toBeUndefined();
});

test("a payload that cannot be written as JSON is named with its event and the setting that mends it", () => {
  expect(() => outgoing(event, "json", createRegistry())).toThrow(
    "event e1 cannot be sent as JSON: its payload shop.order.v1.OrderCreated is not in the registry; EVENT_FORMAT=protobuf needs none",
  );
});
