import {
  create,
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonValue,
  type Message,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { reflect, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import {
  DurationSchema,
  file_google_protobuf_duration as durationFile,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  file_google_protobuf_struct as structFile,
  TimestampSchema,
  FieldDescriptorProto_Type as Type,
  file_google_protobuf_timestamp as timestampFile,
  timestampFromMs,
  file_google_protobuf_wrappers as wrappersFile,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { MethodPolicySchema } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { GetOrderResponseSchema } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserSchema } from "../../../gen/shop/user/v1/user_pb.ts";
import { type Random, seededRandom } from "../../base/random.ts";
import { rawMessage } from "../../call/raw-message.ts";
import { contractRegistry } from "../registry.ts";
import { responseWriter } from "../response/response.ts";
import { needsTree } from "./plan.ts";
import { plainStyle } from "./style.ts";
import { WireText } from "./wire-text.ts";

const registry = contractRegistry([]);

/** Every type of a value that is no message and no enum. */
const scalars = Object.values(Type).filter(
  (type): type is Type => typeof type === "number" && ![Type.MESSAGE, Type.ENUM, Type.GROUP].includes(type),
);

/** A message with a field of every kind that is written as text at once, and one with those that are not. */
const [usual, unusual, ofText] = scratchMessages();

const schemas: readonly DescMessage[] = [
  usual,
  unusual,
  ofText,
  GetOrderResponseSchema,
  UserSchema,
  InstanceSchema,
  MethodPolicySchema,
];

function wireWriter(desc: DescMessage) {
  const rules = { nameOf: ({ jsonName }: DescField) => jsonName, enumText: (_: unknown, name: string) => name };
  return new WireText({ ...rules, registry, hasNumbers: false, restyle: (_, json) => json }).writerOf(desc);
}

function written(desc: DescMessage, style: "protojson" | "plain", message: Message): string {
  const binding = { method: { output: desc }, responseBody: undefined } as never;
  return responseWriter(binding, style, { registry })(message);
}

function wanted(desc: DescMessage, style: "protojson" | "plain", message: Message): string {
  const json: JsonValue = toJson(desc, message, { alwaysEmitImplicit: true, registry });
  return JSON.stringify(style === "plain" ? plainStyle(desc)(json) : json);
}

test.each(schemas.map((desc) => [desc.typeName, desc] as const))(
  "whatever is in it, %s is written as toJson has it, letter by letter",
  (_, desc) => {
    const random = seededRandom(20_261_121);
    for (let i = 0; i < 60; i++) {
      const message = anyMessage(desc, random, 0);
      for (const style of ["protojson", "plain"] as const) {
        expect(written(desc, style, message)).toBe(wanted(desc, style, message));
        expect(written(desc, style, rawMessage(toBinary(desc, message)))).toBe(wanted(desc, style, message));
      }
    }
  },
);

test.each([GetOrderResponseSchema, UserSchema, ofText].map((desc) => [desc.typeName, desc] as const))(
  "bytes of %s are written at once, and where some are wrong it comes to what decoding them first comes to",
  (_, desc) => {
    const random = seededRandom(5);
    let direct = 0;
    for (let i = 0; i < 500; i++) {
      isWild = random() < 0.2;
      const bytes = Buffer.from(toBinary(desc, anyMessage(desc, random, 0)));
      for (let wrong = Math.floor(random() * 4); wrong > 0 && bytes.length > 0; wrong--)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const cut = random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
      const outcome = (write: () => string) => {
        const told = catching(write);
        return typeof told === "string" ? told : "refused";
      };
      for (const style of ["protojson", "plain"] as const) {
        const decoding = outcome(() => wanted(desc, style, fromBinary(desc, cut)));
        expect(outcome(() => written(desc, style, rawMessage(cut)))).toBe(decoding);
      }
      if (wireWriter(desc)?.(cut) !== undefined) direct++;
    }
    isWild = true;
    expect(direct).toBeGreaterThan(100);
  },
);

test("only what has to goes the long way", () => {
  expect([usual, GetOrderResponseSchema, UserSchema].map(needsTree)).toEqual([false, false, false]);
  expect(needsTree(unusual)).toBe(true);
});

test.each([
  ["before the first year", -62_135_596_801n, 0],
  ["after the last", 253_402_300_800n, 0],
  ["with nanoseconds below nothing", 0n, -1],
  ["with too many of them", 0n, 1_000_000_000],
])("an instant %s is refused as toJson refuses it", (_, seconds, nanos) => {
  const createdAt = create(TimestampSchema, { seconds, nanos });
  const message = create(UserSchema, { createdAt });
  const refusal = catching(() => toJson(UserSchema, message));
  expect(refusal).toBeInstanceOf(Error);
  expect(catching(() => written(UserSchema, "protojson", message))).toEqual(refusal);
});

test.each([-62_135_596_800_000, 253_402_300_799_000, -1, 0, 951_782_400_000, 1_709_251_199_999])(
  "an instant is written to its second: %d ms",
  (ms) => {
    const message = create(UserSchema, { createdAt: timestampFromMs(ms) });
    expect(written(UserSchema, "protojson", message)).toBe(wanted(UserSchema, "protojson", message));
  },
);

function catching(act: () => unknown): unknown {
  try {
    return act();
  } catch (reason) {
    return reason;
  }
}

// ---- messages of whatever there is ----

const texts = [
  "",
  "plain",
  "Grüße, 世界 😀",
  'a "quote" \\ \n \u2028 \u0000',
  "\ud800 alone",
  "</script>",
  "__proto__",
];
const wellFormed = texts.filter((text) => text.isWellFormed());
const doubles = [0, -0, 1.5, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53];
/** Whether messages hold what encoders write at length: negative numbers, and large ones. */
let isWild = true;
const allLongs = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n];

const longs = () => (isWild ? allLongs : allLongs.filter((long) => long >= 0n && long < 2n ** 48n));

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function anyMessage(desc: DescMessage, random: Random, depth: number): Message {
  if (desc.typeName === TimestampSchema.typeName) {
    const nanos = pick([0, 1, 1_000, 120_000_000, 999_999_999], random);
    return create(TimestampSchema, { seconds: BigInt(Math.floor(random() * 2.5e11) - (isWild ? 6e10 : 0)), nanos });
  }
  if (desc.typeName === DurationSchema.typeName)
    return create(DurationSchema, { seconds: BigInt(Math.floor(random() * 9)), nanos: 5_000 });
  const message = reflect(desc);
  for (const field of desc.fields) {
    if (random() < 0.3 || field.message?.typeName.startsWith("google.protobuf.Str")) continue;
    if (field.message !== undefined && depth > 1) continue;
    if (field.fieldKind === "list") {
      for (let i = random() * 4; i > 1; i--) message.get(field).add(anyValue(field, random, depth) as never);
    } else if (field.fieldKind === "map") {
      for (let i = random() * 4; i > 1; i--) {
        const key = field.mapKey === ScalarType.STRING ? pick(wellFormed, random) : Math.floor(random() * 99);
        message
          .get(field)
          .set(
            (field.mapKey === ScalarType.BOOL ? random() < 0.5 : key) as never,
            anyValue(field, random, depth) as never,
          );
      }
    } else {
      message.set(field, anyValue(field, random, depth) as never);
    }
  }
  return message.message;
}

function anyValue(field: DescField, random: Random, depth: number): unknown {
  if (field.message !== undefined) return reflect(field.message, anyMessage(field.message, random, depth + 1));
  if (field.enum !== undefined)
    return field.enum.open && random() < 0.2 ? 4_711 : pick(field.enum.values, random).number;
  switch (field.scalar as ScalarType) {
    case ScalarType.STRING:
      return pick(wellFormed, random);
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.BYTES:
      return Buffer.from(pick(texts, random));
    case ScalarType.DOUBLE:
      return pick(doubles, random);
    case ScalarType.FLOAT:
      return pick([0, 0.5, Number.NaN, Number.NEGATIVE_INFINITY], random);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return pick(
        longs().filter((long) => long >= 0n),
        random,
      );
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return pick(longs(), random);
    default:
      return random() < 0.3 ? scalarZeroValue(ScalarType.INT32, false) : Math.floor(random() * 2 ** 31);
  }
}

function scratchMessages(): readonly [DescMessage, DescMessage, DescMessage] {
  const file = create(FileDescriptorProtoSchema, {
    name: "text/v1/text.proto",
    package: "text.v1",
    syntax: "proto3",
    dependency: [timestampFile, durationFile, structFile, wrappersFile].map(({ proto }) => proto.name),
    enumType: [{ name: "Kind", value: ["KIND_NONE", "KIND_ONE"].map((name, number) => ({ name, number })) }],
    messageType: [
      {
        name: "Usual",
        field: [
          ...scalars.map((type, i) => ({ ...field(`one_${i}`, i + 1, type) })),
          ...scalars.map((type, i) => ({ ...field(`many_${i}`, i + 31, type), label: Label.REPEATED })),
          field("kind", 61, Type.ENUM, ".text.v1.Kind"),
          { ...field("kinds", 62, Type.ENUM, ".text.v1.Kind"), label: Label.REPEATED },
          field("null", 63, Type.ENUM, ".google.protobuf.NullValue"),
          field("at", 64, Type.MESSAGE, ".google.protobuf.Timestamp"),
          field("span", 65, Type.MESSAGE, ".google.protobuf.Duration"),
          field("self", 66, Type.MESSAGE, ".text.v1.Usual"),
          { ...field("selves", 67, Type.MESSAGE, ".text.v1.Usual"), label: Label.REPEATED },
          { ...field("by_name", 68, Type.MESSAGE, ".text.v1.Usual.ByNameEntry"), label: Label.REPEATED },
          { ...field("by_number", 69, Type.MESSAGE, ".text.v1.Usual.ByNumberEntry"), label: Label.REPEATED },
          { ...field("left", 70, Type.STRING), oneofIndex: 0 },
          { ...field("right", 71, Type.MESSAGE, ".text.v1.Usual"), oneofIndex: 0 },
          { ...field("maybe", 72, Type.INT32), oneofIndex: 1, proto3Optional: true },
          { ...field("renamed", 73, Type.INT64), jsonName: "ReNamed" },
        ],
        oneofDecl: [{ name: "choice" }, { name: "_maybe" }],
        nestedType: [
          entry("ByNameEntry", Type.STRING, field("value", 2, Type.ENUM, ".text.v1.Kind")),
          entry("ByNumberEntry", Type.INT32, field("value", 2, Type.MESSAGE, ".text.v1.Usual")),
        ],
      },
      {
        name: "OfText",
        field: [
          ...scalars.map((type, i) => ({ ...field(`one_${i}`, i + 1, type) })),
          ...scalars.map((type, i) => ({ ...field(`many_${i}`, i + 31, type), label: Label.REPEATED })),
          field("kind", 61, Type.ENUM, ".text.v1.Kind"),
          { ...field("kinds", 62, Type.ENUM, ".text.v1.Kind"), label: Label.REPEATED },
          field("null", 63, Type.ENUM, ".google.protobuf.NullValue"),
          field("at", 64, Type.MESSAGE, ".google.protobuf.Timestamp"),
          field("self", 66, Type.MESSAGE, ".text.v1.OfText"),
          { ...field("selves", 67, Type.MESSAGE, ".text.v1.OfText"), label: Label.REPEATED },
          { ...field("left", 70, Type.STRING), oneofIndex: 0 },
          { ...field("right", 71, Type.MESSAGE, ".text.v1.OfText"), oneofIndex: 0 },
          { ...field("maybe", 72, Type.INT32), oneofIndex: 1, proto3Optional: true },
        ],
        oneofDecl: [{ name: "choice" }, { name: "_maybe" }],
      },
      {
        name: "Unusual",
        field: [
          { ...field("second", 1, Type.STRING), jsonName: "2" },
          { ...field("first", 2, Type.STRING), jsonName: "1" },
          field("wrapped", 3, Type.MESSAGE, ".google.protobuf.Int64Value"),
          field("usual", 4, Type.MESSAGE, ".text.v1.Usual"),
        ],
      },
    ],
  });
  const known = [timestampFile, durationFile, structFile, wrappersFile].map(({ proto }) => proto);
  const made = createFileRegistry(file, (name) => known.find((each) => each.name === name));
  return ["Usual", "Unusual", "OfText"].map((name) => made.getMessage(`text.v1.${name}`)) as [
    DescMessage,
    DescMessage,
    DescMessage,
  ];
}

function field(name: string, number: number, type: Type, typeName = "") {
  const jsonName = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { name, number, type, typeName, jsonName, label: Label.OPTIONAL };
}

function entry(name: string, keyType: Type, value: ReturnType<typeof field>) {
  return { name, field: [field("key", 1, keyType), value], options: { mapEntry: true } };
}
