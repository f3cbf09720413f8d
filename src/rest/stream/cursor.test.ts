import { create, createFileRegistry, type DescMethod, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { FieldPolicySchema, field as fieldOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { transcoder } from "../transcoder.ts";
import { cursorOf } from "./cursor.ts";

type Policy = MessageInitShape<typeof FieldPolicySchema>;
const { STRING, INT64, BOOL, DOUBLE, MESSAGE } = FieldDescriptorProto_Type;
const eventId = { eventId: true };
const resumeAfter = { resumeAfter: true };

/** A field; the policy is its option. */
function field(name: string, type: FieldDescriptorProto_Type, policy: Policy = {}, isList = false) {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldOption, create(FieldPolicySchema, policy));
  const label = isList ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL;
  const typeName = type === MESSAGE ? ".feed.v1.Item" : "";
  return { name, jsonName: name, type, label, options, typeName } satisfies MessageInitShape<
    typeof FieldDescriptorProtoSchema
  >;
}

type Field = ReturnType<typeof field>;

/** `feed.v1.FeedService.Follow`, which is asked with and tells what is given. An Item holds further Items. */
function follow(asks: readonly Field[], tells: readonly Field[], item: readonly Field[] = []): DescMethod {
  const numbered = (fields: readonly Field[]) => fields.map((each, i) => ({ ...each, number: i + 1 }));
  const file = create(FileDescriptorProtoSchema, {
    name: "feed/v1/feed.proto",
    package: "feed.v1",
    syntax: "proto3",
    messageType: [
      { name: "Ask", field: numbered(asks) },
      { name: "Told", field: numbered(tells) },
      { name: "Item", field: numbered([field("inner", MESSAGE), ...item]) },
    ],
    service: [
      {
        name: "FeedService",
        method: [{ name: "Follow", inputType: ".feed.v1.Ask", outputType: ".feed.v1.Told", serverStreaming: true }],
      },
    ],
  });
  const [method] = createFileRegistry(file, () => undefined).getService("feed.v1.FeedService")?.methods ?? [];
  if (method === undefined) throw new Error("the feed has lost its method");
  return method;
}

const after = field("after", STRING, resumeAfter);
const id = field("id", STRING, eventId);
const refused: readonly (readonly [why: string, method: DescMethod, reason: string])[] = [
  ["an id that is no scalar", follow([], [field("item", MESSAGE, eventId)]), 'event_id is on "item", which is neither'],
  ["an id that is a list", follow([], [field("ids", STRING, eventId, true)]), 'event_id is on "ids", which is neither'],
  ["an id that is a fraction", follow([], [field("at", DOUBLE, eventId)]), "which is neither an integer nor a string"],
  [
    "two ids, one of them further in",
    follow([], [id, field("item", MESSAGE)], [field("number", INT64, eventId)]),
    'event_id is on "id" and "item.number"; there may be one',
  ],
  ["two fields to resume by", follow([after, { ...after, name: "since" }], [id]), 'on "after" and "since"'],
  ["a field to resume by that is a bool", follow([field("on", BOOL, resumeAfter)], [id]), 'resume_after is on "on"'],
  ["a field to resume by, but no ids", follow([after], []), "no field of its responses is an event_id"],
  ["an integer to resume by a string", follow([field("n", INT64, resumeAfter)], [id]), '"n", an integer, but event_id'],
];

test.each(refused)("%s is refused when loaded, by the method's name", (_, method, reason) => {
  const load = () => transcoder({ services: [method.parent], transport: createRouterTransport(() => {}) });
  expect(load).toThrow("feed.v1.FeedService.Follow: ");
  expect(load).toThrow(reason);
});

test("the id may stand in a message of the message, and a message that lacks it has none", () => {
  const method = follow([after], [field("item", MESSAGE)], [field("number", INT64, eventId)]);
  const [item] = method.output.fields;
  if (item?.message === undefined) throw new Error("no item");
  const cursor = cursorOf(method);
  const told = create(method.output) as ReturnType<typeof create> & { item?: unknown };
  expect(cursor?.idOf(told)).toBeUndefined();
  told.item = create(item.message, { number: 9_007_199_254_740_993n } as never);
  expect(cursor?.idOf(told)).toBe("9007199254740993");
});

test.each(["", "two\nlines", "a\0b"])("an id that browsers could not send back is left out: %j", (text) => {
  const method = follow([after], [id]);
  expect(cursorOf(method)?.idOf(create(method.output, { id: text } as never))).toBeUndefined();
});
