import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { needsTree } from "./plan.ts";
import { quoted } from "./scalar.ts";
import type { TextRules } from "./text.ts";
import { timestampText } from "./time.ts";
import { unusual, WireCursor, WireType } from "./wire-cursor.ts";
import { type ReadText, type WireScalar, wireScalar } from "./wire-scalar.ts";

/** Writes a message as JSON text from its bytes; `undefined` where that takes decoding them. */
export type BytesWriter = (bytes: Uint8Array) => string | undefined;

/**
 * JSON text straight from a message's bytes, of types and encodings as they usually are: nothing is decoded first. What is
 * rare (maps, groups, a message in two pieces, negative numbers, bytes that are no text) is left to who decodes.
 */
export class WireText {
  readonly #rules: TextRules;
  readonly #plans = new Map<DescMessage, Plan>();

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  /** Writes messages of the type, or one field of them, where `unset` stands for it if it is not set. */
  writerOf(desc: DescMessage, only?: { readonly field: DescField; readonly unset: string }): BytesWriter | undefined {
    const plan = this.#planned(desc);
    if (plan === undefined) return undefined;
    const at = plan.slots.findIndex(({ number }) => number === only?.field.number);
    const write = (slots: readonly Read[]) =>
      only === undefined ? objectText(plan, slots) : (textIn(plan.slots[at] as Slot, slots[at]) ?? only.unset);
    return (bytes) => {
      try {
        return write(readSlots(plan, new WireCursor(bytes), bytes.length));
      } catch (reason) {
        if (reason === unusual || reason instanceof RangeError) return undefined; // it is decoded, or refused there
        throw reason;
      }
    };
  }

  #planned(desc: DescMessage): Plan | undefined {
    try {
      return this.#planOf(desc);
    } catch (reason) {
      if (reason === unusual) return undefined;
      throw reason;
    }
  }

  #planOf(desc: DescMessage): Plan {
    const known = this.#plans.get(desc);
    if (known !== undefined) return known;
    if (needsTree(desc)) throw unusual;
    const fields = desc.fields.toSorted((a, b) => a.number - b.number);
    const plan: Plan = { slots: [], nothing: [], byNumber: new Map() };
    this.#plans.set(desc, plan); // before its fields: it may hold itself
    for (const field of fields) plan.slots.push(this.#slotOf(field));
    for (const _ of fields) plan.nothing.push(undefined);
    plan.slots.forEach((slot, index) => {
      const { oneof } = fields[index] as DescField;
      const others = oneof?.fields.filter(({ number }) => number !== slot.number) ?? [];
      const clears = others.map(({ number }) => fields.findIndex((field) => field.number === number));
      plan.byNumber.set(slot.number, { slot, index, clears });
    });
    return plan;
  }

  #slotOf(field: DescField): Slot {
    if (field.fieldKind === "map" || ("delimitedEncoding" in field && field.delimitedEncoding)) throw unusual;
    const { wireType, read, zero } = this.#valueOf(field);
    const isList = field.fieldKind === "list";
    const isImplicit = field.oneof === undefined && field.presence === Presence.IMPLICIT;
    const name = `${quoted(this.#rules.nameOf(field))}:`;
    const isMessage = field.message !== undefined;
    return {
      number: field.number,
      name,
      isList,
      isMessage,
      wireType,
      read,
      zero: isImplicit && !isList ? zero : undefined,
    };
  }

  #valueOf(field: DescField): WireScalar {
    const { message, enum: desc } = field;
    if (message !== undefined) return { wireType: WireType.bytes, read: this.#messageReader(message), zero: "" };
    if (desc !== undefined) return this.#enumOf(desc);
    if (field.scalar === undefined) throw unusual;
    return wireScalar(field.scalar, this.#rules.hasNumbers);
  }

  #messageReader(desc: DescMessage): ReadText {
    if (desc.typeName === "google.protobuf.Timestamp") return readTimestamp;
    const plan = this.#planOf(desc);
    return (cursor, end) => objectText(plan, readSlots(plan, cursor, cursor.endOfBytes(end)));
  }

  #enumOf(desc: DescEnum): WireScalar {
    if (!desc.open) throw unusual;
    const { enumText } = this.#rules;
    const isNull = desc.typeName === "google.protobuf.NullValue";
    const texts = new Map<number, string>();
    for (const { number } of desc.values)
      texts.set(number, isNull ? "null" : quoted(enumText(desc, desc.value[number]?.jsonName ?? "")));
    const text = (value: number) => texts.get(value) ?? (isNull ? "null" : String(value));
    return { wireType: WireType.varint, read: (cursor) => text(cursor.varintUpTo(0x7fff_ffff)), zero: text(0) };
  }
}

/** How a field is read and written. */
interface Slot {
  readonly number: number;
  /** With its colon. */
  readonly name: string;
  readonly isList: boolean;
  readonly isMessage: boolean;
  readonly wireType: number;
  readonly read: ReadText;
  /** What stands for it when it is not there; `undefined` where nothing does. */
  readonly zero: string | undefined;
}

interface Place {
  readonly slot: Slot;
  readonly index: number;
  /** Members of its oneof, which it puts an end to. */
  readonly clears: readonly number[];
}

interface Plan {
  readonly slots: Slot[];
  /** What is read of a message without fields: copied, which is faster than to make one. */
  readonly nothing: Read[];
  readonly byNumber: Map<number, Place>;
}

/** What has been read of a field: its value, or its items with commas between them. */
type Read = string | undefined;

function readSlots(plan: Plan, cursor: WireCursor, end: number): Read[] {
  const read = plan.nothing.slice();
  while (cursor.at < end) {
    const tag = cursor.varintUpTo(0xffff_ffff);
    const place = plan.byNumber.get(tag >>> 3);
    if (place !== undefined) readField(place, { cursor, end, wireType: tag & 7 }, read);
    else if (tag >>> 3 === 0) throw unusual;
    else cursor.skip(tag & 7, end);
  }
  if (cursor.at !== end) throw unusual;
  return read;
}

interface Reading {
  readonly cursor: WireCursor;
  readonly end: number;
  readonly wireType: number;
}

function readField({ slot, index, clears }: Place, { cursor, end, wireType }: Reading, read: Read[]): void {
  const before = read[index];
  if (slot.isList) {
    read[index] =
      wireType === slot.wireType
        ? joined(before, slot.read(cursor, end))
        : packed(slot, { cursor, end, wireType }, before);
    return;
  }
  if (wireType !== slot.wireType || (slot.isMessage && before !== undefined)) throw unusual; // two pieces are one message
  read[index] = slot.read(cursor, end);
  for (let i = 0; i < clears.length; i++) read[clears[i] as number] = undefined;
}

function packed({ wireType: ofItem, read }: Slot, { cursor, end, wireType }: Reading, before: Read): Read {
  if (ofItem === WireType.bytes || wireType !== WireType.bytes) throw unusual;
  const last = cursor.endOfBytes(end);
  let text = before;
  while (cursor.at < last) text = joined(text, read(cursor, last));
  if (cursor.at !== last) throw unusual;
  return text;
}

function joined(before: Read, item: string): string {
  return before === undefined ? item : `${before},${item}`;
}

function textIn(slot: Slot, read: Read): string | undefined {
  return slot.isList ? `[${read ?? ""}]` : (read ?? slot.zero);
}

function objectText({ slots }: Plan, read: readonly Read[]): string {
  let text = "";
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as Slot;
    const value = textIn(slot, read[i]);
    if (value !== undefined) text = text === "" ? slot.name + value : `${text},${slot.name}${value}`;
  }
  return `{${text}}`;
}

function readTimestamp(cursor: WireCursor, end: number): string {
  const last = cursor.endOfBytes(end);
  let [seconds, nanos] = [0, 0];
  while (cursor.at < last) {
    const tag = cursor.varint();
    if (tag === 8) seconds = cursor.varint();
    else if (tag === 16) nanos = cursor.varintUpTo(999_999_999);
    else throw unusual;
  }
  if (cursor.at !== last || seconds > 253_402_300_799) throw unusual;
  return timestampText({ seconds, nanos });
}
