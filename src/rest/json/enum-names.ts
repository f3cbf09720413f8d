import type { DescEnum } from "@bufbuild/protobuf";

/** The short, lower-case names of an enum's values beside their own: "pending" for ORDER_STATUS_PENDING. */
export interface EnumNames {
  readonly toShort: ReadonlyMap<string, string>;
  readonly fromShort: ReadonlyMap<string, string>;
}

const tables = new WeakMap<DescEnum, EnumNames>();

/** The short names of an enum, made once. A value that does not begin with the enum's prefix is only put in lower case. */
export function enumNames(desc: DescEnum): EnumNames {
  const known = tables.get(desc);
  if (known !== undefined) return known;
  const toShort = new Map(desc.values.map((value) => [value.jsonName, shortName(value.name, desc.sharedPrefix)]));
  const fromShort = new Map([...toShort].map(([name, short]) => [short, name]));
  const names = { toShort, fromShort };
  tables.set(desc, names);
  return names;
}

function shortName(name: string, prefix = ""): string {
  const lower = name.toLowerCase();
  return lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
}
