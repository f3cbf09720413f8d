import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { isWrapperDesc, FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";

/** What JSON is made with. */
export interface JsonOptions {
  readonly registry: Registry;
}

/** Whether messages of the type are too unusual to be written as text at once. */
export function needsTree(desc: DescMessage): boolean {
  if (desc.typeName.startsWith("google.protobuf.")) return true; // written in a way of its own, or the same in every style
  return desc.proto.extensionRange.length > 0 || desc.fields.some(isUnusual);
}

/**
 * Whether the field is held in another way than it is written, has to be there, or has a name that an object would put
 * in another order, or take for something else.
 */
function isUnusual(field: DescField): boolean {
  if (field.presence === Presence.LEGACY_REQUIRED || !usualName.test(field.jsonName)) return true;
  if (field.jsonName === "__proto__" || field.name === "__proto__") return true;
  return field.message !== undefined && isHeldDifferently(field.message);
}

/** A wrapper is held as what it wraps, a `Struct` as an object. */
function isHeldDifferently(desc: DescMessage): boolean {
  return isWrapperDesc(desc) || desc.typeName === "google.protobuf.Struct";
}

const usualName = /^[A-Za-z_]\w*$/;
