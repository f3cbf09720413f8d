import { create, createFileRegistry, type DescFile, type DescMessage, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import {
  EventPolicySchema,
  event as eventOption,
  file_heddle_event_v1_event,
} from "../../gen/heddle/event/v1/event_pb.ts";
import { OrderCreatedSchema } from "../../gen/shop/order/v1/events_pb.ts";
import { OrderSchema } from "../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../gen/shop/user/v1/events_pb.ts";
import { eventPolicies, eventPolicy } from "./event-policy.ts";

const { STRING, INT64, DOUBLE, MESSAGE } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

interface Declared {
  readonly name?: string;
  readonly type?: string;
  readonly key?: string;
  readonly version?: number;
}

/** A message that is declared an event like that; it has a text, a number, a ratio, a list, a choice and itself in it. */
function declared({ name = "Told", type = "scratch.v1.Told", key = "text", version = 1 }: Declared): DescMessage {
  const field = (fieldName: string, number: number, more: object) => ({
    name: fieldName,
    number,
    label: OPTIONAL,
    ...more,
  });
  const options = create(MessageOptionsSchema);
  setExtension(options, eventOption, create(EventPolicySchema, { type, key, version }));
  const file = create(FileDescriptorProtoSchema, {
    name: `scratch/v1/${name}.proto`,
    package: "scratch.v1",
    syntax: "proto3",
    dependency: ["heddle/event/v1/event.proto"],
    messageType: [
      {
        name,
        options,
        oneofDecl: [{ name: "choice" }],
        field: [
          field("text", 1, { type: STRING }),
          field("number", 2, { type: INT64 }),
          field("ratio", 3, { type: DOUBLE }),
          field("texts", 4, { type: STRING, label: REPEATED }),
          field("chosen", 5, { type: STRING, oneofIndex: 0 }),
          field("inner", 6, { type: MESSAGE, typeName: `.scratch.v1.${name}` }),
        ],
      },
    ],
  });
  const known = (path: string): DescFile | undefined =>
    [file_heddle_event_v1_event, ...file_heddle_event_v1_event.dependencies].find((desc) => desc.proto.name === path);
  return createFileRegistry(file, (path) => known(path)?.proto).getMessage(`scratch.v1.${name}`) ?? expect.fail();
}

test("the policy of a message tells its type, its version, and the value of its key however deep it lies", () => {
  const { type, version, subjectOf } = eventPolicy(OrderCreatedSchema);
  expect({ type, version }).toEqual({ type: "shop.order.v1.OrderCreated", version: 1 });
  expect(subjectOf(create(OrderCreatedSchema, { order: { id: "o-1" } }))).toBe("o-1");
  expect(subjectOf(create(OrderCreatedSchema, {}))).toBe("");
  expect(eventPolicy(UserDeletedSchema).subjectOf(create(UserDeletedSchema, { id: 5n }))).toBe("5");
});

test("a message that is declared wrongly is refused by name, with the option and what to do", () => {
  const option = "of option \\(heddle.event.v1.event\\)";
  const wrong: readonly [Declared, string][] = [
    [{ type: "" }, `scratch.v1.Told: type ${option} is not set: name it "scratch.v1.Told"`],
    [{ version: 0 }, `scratch.v1.Told: version ${option} is not set: begin with 1`],
    [{ key: "" }, `scratch.v1.Told: key ${option} is not set`],
    [{ key: "txet" }, `key ${option} is "txet": scratch.v1.Told has no field txet`],
    [{ key: "inner.txet" }, `is "inner.txet": scratch.v1.Told has no field txet`],
    [{ key: "text.more" }, `is "text.more": text is no message`],
    [{ key: "inner" }, `is "inner", which is neither a string nor an integer`],
    [{ key: "ratio" }, `is "ratio", which is neither`],
    [{ key: "texts" }, `is "texts", which is neither`],
    [{ key: "chosen" }, `is "chosen": chosen lies in a oneof`],
  ];
  for (const [policy, message] of wrong) expect(() => eventPolicy(declared(policy))).toThrow(new RegExp(message));
  expect(() => eventPolicy(OrderSchema)).toThrow(/shop.order.v1.Order is no event: declare/);
  expect(eventPolicy(declared({ key: "inner.inner.number" })).type).toBe("scratch.v1.Told");
});

test("two messages of one type are refused, both by name", () => {
  const twice = [declared({}), declared({ name: "Other" })];
  expect(() => eventPolicies(twice)).toThrow(
    /scratch.v1.Other: type .* is "scratch.v1.Told", and so is that of scratch.v1.Told/,
  );
  expect([...eventPolicies([OrderCreatedSchema, UserDeletedSchema]).keys()]).toHaveLength(2);
});
