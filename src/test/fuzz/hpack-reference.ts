import { staticNames, staticValues } from "../../http2/hpack-table.ts";
import { huffmanDecode } from "../../http2/huffman.ts";
import { promised } from "./target.ts";

/**
 * A decoder of header blocks as RFC 7541 tells it, word for word and slow: the dynamic table is a list whose newest field
 * comes first. What our own decoder makes of any bytes is held against it.
 */
export class ReferenceDecoder {
  #table: [name: string, value: string][] = [];
  #maxBytes = 4_096;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The fields of a block; throws if there is anything wrong with it. */
  decode(bytes: Buffer): string[] {
    this.#bytes = bytes;
    this.#at = 0;
    const fields: string[] = [];
    let isStart = true;
    while (this.#at < bytes.length) {
      const first = this.#peek();
      if (first >> 5 === 0b001) {
        promised(isStart, "a size update stands at the start");
        this.#resize(this.#integer(5));
        continue;
      }
      isStart = false;
      fields.push(...this.#field(first));
    }
    return fields;
  }

  #field(first: number): [string, string] {
    if (first >> 7 === 1) return this.#lookUp(this.#integer(7));
    const enters = first >> 6 === 0b01;
    const index = this.#integer(enters ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#lookUp(index)[0];
    const field: [string, string] = [name, this.#string()];
    if (enters) {
      this.#table.unshift(field);
      this.#evict();
    }
    return field;
  }

  #lookUp(index: number): [string, string] {
    promised(index > 0, "an index is above 0");
    if (index <= 61) return [staticNames[index] as string, staticValues[index] as string];
    const field = this.#table[index - 62];
    promised(field !== undefined, "an index is within the tables");
    return field;
  }

  #resize(bytes: number): void {
    promised(bytes <= 4_096, "a table is no larger than allowed");
    this.#maxBytes = bytes;
    this.#evict();
  }

  #evict(): void {
    const size = () => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#maxBytes) this.#table.pop();
  }

  #integer(prefix: number): number {
    const full = 2 ** prefix - 1;
    let value = this.#next() % (full + 1);
    if (value < full) return value;
    for (let power = 0; power < 4; power++) {
      const byte = this.#next();
      value += (byte % 128) * 128 ** power;
      if (byte < 128) return value;
    }
    throw new Error("longer than anything here needs (§7.4)");
  }

  #string(): string {
    const isHuffman = this.#peek() >= 128;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    promised(this.#at <= this.#bytes.length, "a string is whole");
    return isHuffman ? huffmanDecode(this.#bytes, start, this.#at) : this.#bytes.toString("latin1", start, this.#at);
  }

  #peek(): number {
    const byte = this.#bytes[this.#at];
    promised(byte !== undefined, "a block is whole");
    return byte;
  }

  #next(): number {
    const byte = this.#peek();
    this.#at++;
    return byte;
  }
}
