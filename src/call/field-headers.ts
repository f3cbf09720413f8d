import type { Fields } from "./fields.ts";

/**
 * `Headers` over plain fields: the same answers to the same questions, several times cheaper to make, to fill and to
 * walk through, since each request has a few of them. Names that come more than once stay apart within, and are shown
 * joined, as `Headers` shows them. Entries come in the order in which they were set, not by the alphabet.
 */
export class FieldHeaders implements Headers {
  readonly #fields: string[];

  /** Takes the fields over: names in lower case, none of them a pseudo one, and nobody else changes them. */
  constructor(fields: string[] = []) {
    this.#fields = fields;
  }

  /** All names and values in turn; a name as often as it was given. */
  get fields(): Fields {
    return this.#fields;
  }

  get(name: string): string | null {
    const fields = this.#fields;
    const wanted = lowered(name);
    let found: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== wanted) continue;
      found = found === null ? (fields[i + 1] as string) : `${found}, ${fields[i + 1]}`;
    }
    return found;
  }

  has(name: string): boolean {
    return this.#indexOf(lowered(name)) !== -1;
  }

  set(name: string, value: string): void {
    const wanted = checkedName(name);
    const given = checkedValue(value);
    const at = this.#indexOf(wanted);
    if (at === -1) {
      this.#fields.push(wanted, given);
      return;
    }
    this.#fields[at + 1] = given;
    this.#deleteFrom(wanted, at + 2);
  }

  /** The same for what is certainly fit: a name in lower case, a value without blanks around it, both made by our own code. */
  put(name: string, value: string): void {
    const at = this.#indexOf(name);
    if (at === -1) this.#fields.push(name, value);
    else {
      this.#fields[at + 1] = value;
      this.#deleteFrom(name, at + 2);
    }
  }

  append(name: string, value: string): void {
    this.#fields.push(checkedName(name), checkedValue(value));
  }

  delete(name: string): void {
    this.#deleteFrom(lowered(name), 0);
  }

  getSetCookie(): string[] {
    return this.#fields.filter((_, i) => i % 2 === 1 && this.#fields[i - 1] === "set-cookie");
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = this.#shownAt(i);
      if (value !== undefined) callback.call(thisArg, value, name, this);
    }
  }

  entries(): ReturnType<Headers["entries"]> {
    const pairs: [string, string][] = [];
    this.forEach((value, name) => pairs.push([name, value]));
    return pairs.values();
  }

  keys(): ReturnType<Headers["keys"]> {
    const names: string[] = [];
    this.forEach((_, name) => names.push(name));
    return names.values();
  }

  values(): ReturnType<Headers["values"]> {
    const values: string[] = [];
    this.forEach((value) => values.push(value));
    return values.values();
  }

  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }

  #indexOf(name: string): number {
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return i;
    return -1;
  }

  #deleteFrom(name: string, from: number): void {
    const fields = this.#fields;
    for (let i = fields.length - 2; i >= from; i -= 2) if (fields[i] === name) fields.splice(i, 2);
  }

  /** What is shown at a place: all values of its name, where it is the first of them; of cookies, each. */
  #shownAt(at: number): string | undefined {
    const fields = this.#fields;
    const name = fields[at];
    if (name === "set-cookie") return fields[at + 1];
    if (this.#indexOf(name as string) < at) return undefined;
    for (let i = at + 2; i < fields.length; i += 2)
      if (fields[i] === name) return this.get(name as string) ?? undefined;
    return fields[at + 1];
  }
}

/** Who asks what it is, by `instanceof`, is told that it is Headers; all that those can do is done here. */
Object.setPrototypeOf(FieldHeaders.prototype, Headers.prototype);

/** Sets a field of whatever Headers these are, without looking for what cannot be in our own names and values: as `put`. */
export function putField(header: Headers, name: string, value: string): void {
  if (header instanceof FieldHeaders) header.put(name, value);
  else header.set(name, value);
}

/** Names in code are in lower case already, most of the time. */
function lowered(name: string): string {
  return isLowered(name) ? name : String(name).toLowerCase();
}

/**
 * Names that were found to be in lower case, so many at most: those that code asks for. To know one again is cheaper than to
 * look at its letters, and one request through the gateway asks some fifty times.
 */
const known = new Set<string>();
const maxKnown = 512;
const maxKnownLength = 64;

function isLowered(name: string): boolean {
  if (known.has(name)) return true;
  if (!lowerCase.test(name)) return false;
  if (known.size < maxKnown && name.length <= maxKnownLength) known.add(name);
  return true;
}

function checkedName(name: string): string {
  if (isLowered(name)) return name;
  if (!token.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a header field`);
  return name.toLowerCase();
}

/** As `Headers` has it: blanks around it are cut off, and what would end the field is refused. */
function checkedValue(value: string): string {
  const text = typeof value === "string" ? value : String(value);
  if (plain.test(text)) return text;
  if (unfit.test(text)) throw new TypeError(`${JSON.stringify(text)} cannot be the value of a header field`);
  return text.replace(blanks, "");
}

const lowerCase = /^[a-z0-9-]+$/;
/** RFC 9110 §5.6.2. */
const token = /^[\w!#$%&'*+.^`|~-]+$/;
/** Nothing to cut off, nothing to refuse: what nearly all values are. */
const plain = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;
const unfit = /[\0\r\n]|[^\0-\xff]/;
const blanks = /^[\t ]+|[\t ]+$/g;
