import { ConnectionError, ErrorCode } from "./errors.ts";
import { DynamicTable, fieldBytes, firstDynamic, staticNames, staticValues } from "./hpack-table.ts";
import { huffmanDecode } from "./huffman.ts";

/** Names and values in turn: `[":method", "GET", ":path", "/"]`. One array is all that a header list costs. */
export type Fields = readonly string[];

const broken = (reason: string) => new ConnectionError(ErrorCode.compressionError, reason);

/**
 * Reads header blocks (RFC 7541 §3, §6). What is wrong breaks the connection, since the tables of both ends would no
 * longer agree; what is only too much is counted to its end, for the same reason, and not kept.
 */
export class HpackDecoder {
  /** Counts up whenever the dynamic table changes: what was read before may now mean something else. */
  generation = 0;
  /** Size of the last list, as SETTINGS_MAX_HEADER_LIST_SIZE counts, and how many fields it had. */
  listBytes = 0;
  listCount = 0;

  readonly #table: DynamicTable;
  readonly #maxBytes: number;
  readonly #maxCount: number;
  #allowed = 4_096; // what SETTINGS_HEADER_TABLE_SIZE of ours lets the peer choose
  #mustShrink = false;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  constructor(limits: { readonly headerListBytes: number; readonly headerCount: number }) {
    this.#table = new DynamicTable(4_096);
    this.#maxBytes = limits.headerListBytes;
    this.#maxCount = limits.headerCount;
  }

  /** Whether the last list passed a limit: then what `decode` returned is only its beginning. */
  get overflowed(): "headerListBytes" | "headerCount" | undefined {
    if (this.listBytes > this.#maxBytes) return "headerListBytes";
    return this.listCount > this.#maxCount ? "headerCount" : undefined;
  }

  /** The peer has acknowledged our table size. If it is smaller, the next block must begin by saying so (§4.2). */
  allow(tableBytes: number): void {
    this.#allowed = tableBytes;
    this.#mustShrink = tableBytes < this.#table.maxBytes;
  }

  /** Reads one whole block. */
  decode(bytes: Buffer, start: number, end: number): string[] {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.listBytes = this.listCount = 0;
    const fields: string[] = [];
    this.#sizeUpdates();
    while (this.#at < end) this.#field(fields);
    return fields;
  }

  #sizeUpdates(): void {
    while (this.#at < this.#end && ((this.#bytes[this.#at] as number) & 0xe0) === 0x20) {
      const size = this.#integer(5);
      if (size > this.#allowed) throw broken("table size above what was allowed");
      this.#table.resize(size);
      this.#mustShrink = false;
      this.generation++;
    }
    if (this.#mustShrink) throw broken("table size was not reduced");
  }

  #field(fields: string[]): void {
    const first = this.#bytes[this.#at] as number;
    if (first & 0x80) {
      const index = this.#integer(7);
      return this.#keep(fields, this.#nameAt(index), this.#valueAt(index));
    }
    if ((first & 0xe0) === 0x20) throw broken("table size update inside a block");
    const enters = (first & 0x40) !== 0;
    const index = this.#integer(enters ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#nameAt(index);
    const value = this.#string();
    if (enters) {
      this.#table.add(name, value);
      this.generation++;
    }
    this.#keep(fields, name, value);
  }

  #keep(fields: string[], name: string, value: string): void {
    this.listBytes += fieldBytes(name, value);
    this.listCount++;
    if (this.listBytes <= this.#maxBytes && this.listCount <= this.#maxCount) fields.push(name, value);
  }

  #nameAt(index: number): string {
    if (index < firstDynamic) {
      if (index === 0) throw broken("index 0");
      return staticNames[index] as string;
    }
    if (index - firstDynamic >= this.#table.count) throw broken("index beyond the table");
    return this.#table.name(index - firstDynamic);
  }

  #valueAt(index: number): string {
    return index < firstDynamic ? (staticValues[index] as string) : this.#table.value(index - firstDynamic);
  }

  /** An integer of `prefix` bits and more bytes (§5.1); beyond 2^28 nothing here can mean one. */
  #integer(prefix: number): number {
    const full = (1 << prefix) - 1;
    let value = (this.#bytes[this.#at++] as number) & full;
    if (value < full) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken("integer cut off or too large");
  }

  #string(): string {
    if (this.#at >= this.#end) throw broken("string cut off");
    const isHuffman = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#end) throw broken("string cut off");
    return isHuffman ? huffmanDecode(this.#bytes, start, this.#at) : this.#bytes.toString("latin1", start, this.#at);
  }
}
