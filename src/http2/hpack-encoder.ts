import type { Fields } from "./hpack-decoder.ts";
import { DynamicTable, fieldBytes, firstDynamic, staticNames, staticValues } from "./hpack-table.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";
import type { Output } from "./output.ts";

/** Never entered in a table by us nor by anyone between (RFC 7541 §7.1.3). */
export const sensitiveNames: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"],
]);

/** What the encoder knows of a name: where it is in the static table, and its values in either table. */
interface Known {
  readonly index: number;
  readonly isSensitive: boolean;
  /** Value → static index, or `firstDynamic` + the number with which it entered the dynamic table. */
  readonly values: Map<string, number>;
  last: string;
}

/** Names learned beside the static ones, at most. */
const maxLearned = 256;
const goodName = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const badInValue = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Writes header blocks (RFC 7541 §6). A frozen list is taken as a promise that it stays as it is: its fields enter the
 * table at once and its block is kept, so that the next time it is a copy. In other lists a field enters the table when
 * it comes twice in a row with the same value; what changes from call to call never pushes out what repeats.
 */
export class HpackEncoder {
  readonly #table = new DynamicTable(4_096);
  readonly #known = new Map<string, Known>();
  readonly #blocks = new Map<Fields, Buffer>();
  #generation = 0;
  #wantedBytes = 4_096;
  #smallestBytes = 4_096;

  constructor() {
    for (let i = 1; i < staticNames.length; i++)
      this.#know(staticNames[i] as string, i).values.set(staticValues[i] as string, i);
    this.#table.onEvict = (name, value, number) => {
      const values = this.#known.get(name)?.values;
      if (values?.get(value) === firstDynamic + number) values.delete(value);
    };
  }

  /** The peer allows a table of this size (SETTINGS_HEADER_TABLE_SIZE); we use up to 4096 bytes of it. */
  allow(tableBytes: number): void {
    this.#wantedBytes = Math.min(tableBytes, 4_096);
    this.#smallestBytes = Math.min(this.#smallestBytes, this.#wantedBytes);
  }

  /**
   * Writes the block of `fields` and then `more` at the end of `output`. A field that may not be sent throws; then
   * nothing has been written, and the next block begins by emptying the table, which may hold what was never sent.
   */
  encode(fields: Fields, more: Fields | undefined, output: Output): void {
    const length = output.length;
    try {
      this.#block(fields, more, output);
    } catch (error) {
      output.at -= output.length - length;
      this.#smallestBytes = 0;
      throw error;
    }
  }

  #block(fields: Fields, more: Fields | undefined, output: Output): void {
    if (this.#smallestBytes !== this.#table.maxBytes || this.#wantedBytes !== this.#table.maxBytes)
      this.#resize(output);
    if (Object.isFrozen(fields)) this.#frozen(fields, output);
    else this.#fields(fields, output, false);
    if (more !== undefined) this.#fields(more, output, false);
  }

  #resize(output: Output): void {
    output.reserve(12);
    for (const size of new Set([this.#smallestBytes, this.#wantedBytes])) {
      this.#table.resize(size);
      output.at = integer(output.bytes, output.at, 0x20, 5, size);
    }
    this.#smallestBytes = this.#wantedBytes;
    this.#changed();
  }

  #changed(): void {
    this.#generation++;
    if (this.#blocks.size > 0) this.#blocks.clear();
  }

  #frozen(fields: Fields, output: Output): void {
    const block = this.#blocks.get(fields);
    if (block !== undefined) {
      output.reserve(block.length);
      output.at += block.copy(output.bytes, output.at);
      return;
    }
    const generation = this.#generation;
    const length = output.length;
    this.#fields(fields, output, true);
    if (generation !== this.#generation) return; // indexes moved on the way: the next time will be the same as the one after
    if (this.#blocks.size >= 64) this.#blocks.clear();
    this.#blocks.set(fields, Buffer.from(output.bytes.subarray(output.at - (output.length - length), output.at)));
  }

  #fields(fields: Fields, output: Output, repeats: boolean): void {
    for (let i = 0; i < fields.length; i += 2)
      this.#field(fields[i] as string, fields[i + 1] as string, output, repeats);
  }

  #field(name: string, value: string, output: Output, repeats: boolean): void {
    const known = this.#known.get(name) ?? this.#know(name, 0);
    const place = known.values.get(value);
    output.reserve(name.length + value.length + 16);
    if (place !== undefined && !known.isSensitive) {
      const index = place < firstDynamic ? place : firstDynamic * 2 + this.#table.added - 1 - place;
      output.at = integer(output.bytes, output.at, 0x80, 7, index);
      return;
    }
    checkValue(name, value);
    const enters = !known.isSensitive && (repeats || known.last === value) && this.#mayEnter(name, value);
    const [mark, prefix] = enters ? [0x40, 6] : [known.isSensitive ? 0x10 : 0x00, 4];
    output.at = integer(output.bytes, output.at, mark, prefix, known.index);
    if (known.index === 0) output.at = text(output.bytes, output.at, name, enters);
    output.at = text(output.bytes, output.at, value, enters);
    if (enters) this.#enter(name, value, known);
    else if (!known.isSensitive) known.last = value;
  }

  #mayEnter(name: string, value: string): boolean {
    return fieldBytes(name, value) * 4 <= this.#table.maxBytes && this.#known.has(name);
  }

  #enter(name: string, value: string, known: Known): void {
    known.values.set(value, firstDynamic + this.#table.added);
    this.#table.add(name, value);
    this.#changed();
  }

  #know(name: string, index: number): Known {
    const there = this.#known.get(name);
    if (there !== undefined) return there;
    checkName(name);
    const known: Known = { index, isSensitive: sensitiveNames.has(name), values: new Map(), last: "" };
    if (this.#known.size < firstDynamic + maxLearned) this.#known.set(name, known);
    return known;
  }
}

/** Throws a TypeError if a field may not be sent (RFC 9113 §8.2.1): what would let a value pass for two. */
export function checkFields(fields: Fields): void {
  for (let i = 0; i < fields.length; i += 2) {
    checkName(fields[i] as string);
    checkValue(fields[i] as string, fields[i + 1] as string);
  }
}

function checkName(name: string): void {
  if (!goodName.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a header`);
}

function checkValue(name: string, value: string): void {
  const isPadded = value.length > 0 && (isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(value.length - 1)));
  if (isPadded || badInValue.test(value))
    throw new TypeError(`value of header ${name} has a character that may not be sent`);
}

const isSpace = (code: number) => code === 0x20 || code === 0x09;

/** Writes an integer behind the bits of `mark` (RFC 7541 §5.1), and returns where it ends. */
export function integer(bytes: Buffer, offset: number, mark: number, prefix: number, value: number): number {
  let at = offset;
  const full = (1 << prefix) - 1;
  if (value < full) {
    bytes[at++] = mark | value;
    return at;
  }
  bytes[at++] = mark | full;
  let rest = value - full;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** A string (§5.2). Huffman only pays where the other end remembers: else it costs more time than bytes. */
function text(bytes: Buffer, offset: number, value: string, compact: boolean): number {
  if (compact) {
    const length = huffmanLength(value);
    if (length < value.length) return huffmanEncode(value, bytes, integer(bytes, offset, 0x80, 7, length));
  }
  const at = integer(bytes, offset, 0, 7, value.length);
  if (value.length > 32) return at + bytes.write(value, at, "latin1");
  for (let i = 0; i < value.length; i++) bytes[at + i] = value.charCodeAt(i);
  return at + value.length;
}
