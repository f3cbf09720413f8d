import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";

/** Which fields a message may have, and how deep it may go. */
export interface Shape {
  readonly depth: number;
  /** Whether the field may have a value at all; asked for every field on the way down. */
  takes(field: DescField): boolean;
}

/** Any message of a type, as protojson. */
export function anyMessage(desc: DescMessage, shape: Shape): fc.Arbitrary<JsonObject> {
  const single = desc.fields.filter((field) => field.oneof === undefined || field.oneof.fields.length === 1);
  const choices = desc.oneofs.filter(({ fields }) => fields.length > 1);
  const parts = [single, ...choices.map(({ fields }) => fields)].map((fields, i) => {
    const entries = fields.filter(shape.takes).flatMap((field) => {
      const value = anyField(field, shape);
      return value === undefined ? [] : [[field.jsonName, value] as const];
    });
    if (i === 0) return fc.record(Object.fromEntries(entries), { requiredKeys: [] });
    return fc.oneof(fc.constant({}), ...entries.map(([name, value]) => value.map((each) => ({ [name]: each }))));
  });
  return fc.tuple(...parts).map((objects) => Object.assign({}, ...objects.map((each) => ({ ...each }))) as JsonObject);
}

/** Any value of a field; `undefined` if it lies too deep. */
export function anyField(field: DescField, shape: Shape): fc.Arbitrary<JsonValue> | undefined {
  const one = anyValue(field, shape);
  if (one === undefined) return undefined;
  if (field.fieldKind === "list") return fc.array(one, { maxLength: 3 });
  if (field.fieldKind !== "map") return one;
  return fc
    .uniqueArray(fc.tuple(anyKey(field.mapKey), one), { maxLength: 3, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries) as JsonObject);
}

/** Text of every kind, none of it half a character. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 8, unit: "binary" }),
  fc.string({ maxLength: 8 }),
  fc.constantFrom("a/b", "%2F", "a%2fb", "100%", "a+b", "?x=1&y#z", ":stop", "..", "ü🦉", " ", "[]", "null"),
);

function anyKey(type: ScalarType): fc.Arbitrary<string> {
  // A query parameter's key ends where "]." does: one that has it inside can travel in a body alone.
  if (type === ScalarType.STRING) return anyText.filter((text) => text !== "__proto__" && !text.includes("]."));
  if (type === ScalarType.BOOL) return fc.constantFrom("true", "false");
  return fc.nat(1_000).map(String);
}

function anyValue(field: DescField, shape: Shape): fc.Arbitrary<JsonValue> | undefined {
  if (field.enum !== undefined) return fc.constantFrom(...field.enum.values.map(({ name }) => name));
  if (field.message === undefined) return field.scalar === undefined ? undefined : anyScalar(field.scalar);
  const known = wellKnown.get(field.message.typeName);
  if (known !== undefined) return known;
  if (isWrapperDesc(field.message)) return anyScalar(field.message.fields[0].scalar);
  return shape.depth > 0 ? anyMessage(field.message, { ...shape, depth: shape.depth - 1 }) : undefined;
}

const json = fc.dictionary(
  anyText.filter((key) => key !== "__proto__"),
  fc.oneof(anyText, fc.boolean(), fc.nat(), fc.constant(null)),
  {
    maxKeys: 3,
  },
);
const seconds = fc.integer({ min: -10_000_000_000, max: 10_000_000_000 });

const wellKnown = new Map<string, fc.Arbitrary<JsonValue>>([
  [
    "google.protobuf.Timestamp",
    fc
      .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
      .map((date) => date.toISOString()),
  ],
  ["google.protobuf.Duration", seconds.map((each) => `${each}s`)],
  [
    "google.protobuf.FieldMask",
    fc
      .array(fc.constantFrom("name", "userId", "a.bC", "x"), { minLength: 1, maxLength: 3 })
      .map((paths) => paths.join(",")),
  ],
  ["google.protobuf.Struct", json as fc.Arbitrary<JsonObject>],
  ["google.protobuf.Any", anyText.map((label) => ({ "@type": "type.googleapis.com/scratch.v1.Inner", label }))],
]);

function anyScalar(type: ScalarType): fc.Arbitrary<JsonValue> {
  switch (type) {
    case ScalarType.STRING:
      return anyText;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case ScalarType.DOUBLE:
      return fc.double().map(written);
    case ScalarType.FLOAT:
      return fc.float().map(written);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.integer();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 0xffffffff });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    default:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
  }
}

/** As JSON has numbers; it has no negative zero that every writer of it would keep. */
function written(number: number): JsonValue {
  if (Number.isFinite(number)) return number === 0 ? 0 : number;
  return String(number);
}
