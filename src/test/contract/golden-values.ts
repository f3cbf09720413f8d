import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";

interface Filling {
  /** Fields that go before their neighbours in a oneof. */
  readonly wanted?: readonly DescField[];
  /** How far inside the sample this message is. */
  readonly depth?: number;
}

const maxDepth = 6;

/** A message with a value in every field, always the same: protojson. Of a oneof one member is filled. */
export function messageJson(desc: DescMessage, { wanted = [], depth = 0 }: Filling = {}): JsonValue {
  const known = wellKnown[desc.typeName];
  if (known !== undefined) return known;
  if (depth > maxDepth) return {};
  const chosen = desc.members.flatMap((member) =>
    member.kind === "oneof"
      ? (member.fields.find((field) => wanted.includes(field)) ?? member.fields[0] ?? [])
      : member,
  );
  return Object.fromEntries(chosen.map((field) => [field.jsonName, fieldJson(field, depth + 1)]));
}

const wellKnown: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Timestamp": "2026-01-02T03:04:05.678901234Z",
  "google.protobuf.Duration": "90.500s",
  "google.protobuf.FieldMask": "name,createdAt",
};

function fieldJson(field: DescField, depth: number): JsonValue {
  switch (field.fieldKind) {
    case "list":
      return [0, 1].map((turn) => oneJson(field, { depth, turn }));
    case "map":
      return Object.fromEntries([0, 1].map((turn) => [`key ${turn}`, oneJson(field, { depth, turn })]));
    default:
      return oneJson(field, { depth, turn: 0 });
  }
}

function oneJson(field: DescField, { depth, turn }: { readonly depth: number; readonly turn: number }): JsonValue {
  if (field.message !== undefined) return messageJson(field.message, { depth });
  if (field.enum !== undefined) return field.enum.values.at(-1 - turn)?.name ?? 0;
  return scalarJson(field, turn);
}

/** Values near the edges of their types, each of another field another one. */
function scalarJson({ scalar, name, number }: DescField, turn: number): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
      return `${name} ${turn} äß€😀`;
    case ScalarType.BOOL:
      return turn === 0;
    case ScalarType.INT32:
      return -(2 ** 31) + number + turn;
    case ScalarType.UINT32:
      return 2 ** 32 - 1 - number - turn;
    case ScalarType.INT64:
      return String(-(2n ** 63n) + BigInt(number + turn));
    case ScalarType.UINT64:
      return String(2n ** 64n - 1n - BigInt(number + turn));
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return number + turn + 0.25;
    case ScalarType.BYTES:
      return Buffer.from([0, 255, number, turn]).toString("base64");
    default:
      throw new Error(`golden-values.ts has no value for ${name}, a field of scalar type ${scalar}: give it one`);
  }
}
