/** Names and values of the static table, from index 1 on (RFC 7541 Appendix A). */
const staticFields: readonly (readonly [string, ...string[]])[] = [
  [":authority", ""],
  [":method", "GET", "POST"],
  [":path", "/", "/index.html"],
  [":scheme", "http", "https"],
  [":status", "200", "204", "206", "304", "400", "404", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  // biome-ignore format: as the RFC lists them
  ...["accept-language", "accept-ranges", "accept", "access-control-allow-origin", "age", "allow", "authorization",
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link",
    "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
    "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary",
    "via", "www-authenticate"].map((name) => [name, ""] as const),
];

/** The static table's names, by index; 0 is not used. */
export const staticNames: readonly string[] = [
  "",
  ...staticFields.flatMap(([name, ...values]) => values.map(() => name)),
];

/** The static table's values, by index. */
export const staticValues: readonly string[] = ["", ...staticFields.flatMap(([, ...values]) => values)];

/** The first index of the dynamic table. */
export const firstDynamic = staticNames.length;

/** What a field counts in a table and in a header list (RFC 7541 §4.1, RFC 9113 §6.5.2). */
export function fieldBytes(name: string, value: string): number {
  return name.length + value.length + 32;
}

/**
 * A dynamic table (RFC 7541 §2.3.2): the newest fields up to a size, oldest out first. A ring, so that neither
 * entering nor leaving moves the others; a field is numbered by how many entered before it.
 */
export class DynamicTable {
  /** Called with each field that has left, and its number. */
  onEvict: ((name: string, value: string, number: number) => void) | undefined;
  #names: string[] = new Array(64).fill("");
  #values: string[] = new Array(64).fill("");
  #added = 0;
  #count = 0;
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many fields have ever entered: the number of the next. */
  get added(): number {
    return this.#added;
  }

  get count(): number {
    return this.#count;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The name of the field that entered `age` fields before the newest; the caller has checked that there is one. */
  name(age: number): string {
    return this.#names[(this.#added - 1 - age) & (this.#names.length - 1)] as string;
  }

  /** The value beside that name. */
  value(age: number): string {
    return this.#values[(this.#added - 1 - age) & (this.#names.length - 1)] as string;
  }

  /** Enters a field. One that is larger than the table empties it and stays out (§4.4). */
  add(name: string, value: string): void {
    const bytes = fieldBytes(name, value);
    this.#evictTo(Math.max(0, this.#maxBytes - bytes));
    if (bytes > this.#maxBytes) return;
    if (this.#count === this.#names.length) this.#grow();
    const slot = this.#added++ & (this.#names.length - 1);
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Changes the size, and lets go of what no longer fits (§4.3). */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes) {
      const age = this.#count - 1;
      const [name, value] = [this.name(age), this.value(age)];
      this.#count--;
      this.#bytes -= fieldBytes(name, value);
      const slot = (this.#added - 1 - age) & (this.#names.length - 1);
      this.#names[slot] = this.#values[slot] = "";
      this.onEvict?.(name, value, this.#added - 1 - age);
    }
  }

  #grow(): void {
    const size = this.#names.length * 2;
    const [names, values] = [new Array<string>(size).fill(""), new Array<string>(size).fill("")];
    for (let age = 0; age < this.#count; age++) {
      names[(this.#added - 1 - age) & (size - 1)] = this.name(age);
      values[(this.#added - 1 - age) & (size - 1)] = this.value(age);
    }
    this.#names = names;
    this.#values = values;
  }
}
