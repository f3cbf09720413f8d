import type { Fields } from "./hpack-decoder.ts";

/** Pseudo-header fields, one bit each (RFC 9113 §8.3, RFC 8441 §4). */
const pseudoBits: ReadonlyMap<string, number> = new Map([
  [":method", 1],
  [":scheme", 2],
  [":path", 4],
  [":authority", 8],
  [":status", 16],
  [":protocol", 32],
]);
const [method, scheme, path, authority, status] = [1, 2, 4, 8, 16];

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const forbiddenInValue = /[\0\r\n]/;

/** What a regular field's name means to the protocol; most mean nothing. */
type Meaning = "plain" | "forbidden" | "te" | "length" | "host";

/** Names that were looked at, so that no common name is looked at twice. */
const meanings = new Map<string, Meaning>([
  ...(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"] as const).map(
    (name) => [name, "forbidden"] as const, // they speak of a connection of HTTP/1.1 (RFC 9113 §8.2.2)
  ),
  ["te", "te"],
  ["content-length", "length"],
  ["host", "host"],
]);
const maxMeanings = 1_024;

/** What `name` means, or `undefined` if it is no name: upper case and pseudo-headers are none (RFC 9113 §8.2.1). */
function meaningOf(name: string): Meaning | undefined {
  const known = meanings.get(name);
  if (known !== undefined) return known;
  if (!token.test(name)) return undefined;
  if (meanings.size < maxMeanings && name.length < 64) meanings.set(name, "plain");
  return "plain";
}

/** Whether a value is one: no NUL, CR or LF, no space around it (§8.2.1). */
function isValue(value: string): boolean {
  if (value.length === 0) return true;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  if (first === 0x20 || first === 0x09 || last === 0x20 || last === 0x09) return false;
  return !forbiddenInValue.test(value);
}

/** A header list as it was received, and what the protocol itself has to know of it. */
export class HeaderList {
  readonly fields: Fields;
  /** Why no message may have such a list, or `undefined` (RFC 9113 §8.2). */
  readonly fault: string | undefined;
  /** The length that `content-length` promises, or -1. */
  contentLength = -1;
  method = "";
  status = 0;
  #pseudo = 0;
  #path = "";
  #scheme = "";
  #authority: string | undefined;
  #host: string | undefined;

  constructor(fields: Fields) {
    this.fields = fields;
    this.fault = this.#inspect();
  }

  /** Whether it is a response before the final one (RFC 9110 §15.2). */
  get isInformational(): boolean {
    return this.status >= 100 && this.status < 200;
  }

  /** Why it cannot begin a request, or `undefined` (§8.3.1, §8.5). */
  get requestFault(): string | undefined {
    if (this.fault !== undefined) return this.fault;
    if (this.method === "CONNECT") return this.#connectFault();
    if ((this.#pseudo & ~authority) !== (method | scheme | path)) return "pseudo-header fields of a request";
    const isHttp = this.#scheme === "http" || this.#scheme === "https";
    const isPath = this.#path.charCodeAt(0) === 0x2f || (this.#path === "*" && this.method === "OPTIONS");
    if (isHttp ? !isPath : this.#path === "") return ":path is not a path";
    if (this.#authority?.includes("@")) return ":authority with user information";
    const isOther = this.#host !== undefined && this.#authority !== undefined && this.#host !== this.#authority;
    return isOther ? "host is not :authority" : undefined;
  }

  /** Why it cannot begin a response, or `undefined` (§8.3.2); 101 does not exist here (§8.6). */
  get responseFault(): string | undefined {
    if (this.fault !== undefined) return this.fault;
    if (this.#pseudo !== status) return "pseudo-header fields of a response";
    return this.status < 100 || this.status === 101 ? ":status is not one" : undefined;
  }

  /** Why it cannot end a message, or `undefined` (§8.1). */
  get trailerFault(): string | undefined {
    return this.fault ?? (this.#pseudo === 0 ? undefined : "pseudo-header field in trailers");
  }

  /** CONNECT names an authority and nothing else; with `:protocol` it is the extended one, which we never enable. */
  #connectFault(): string | undefined {
    return this.#pseudo === (method | authority) ? undefined : "pseudo-header fields of CONNECT";
  }

  #inspect(): string | undefined {
    const { fields } = this;
    let isPseudo = true;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (!isValue(value)) return `value of ${JSON.stringify(name)}`;
      let fault: string | undefined;
      if (name.charCodeAt(0) === 0x3a)
        fault = isPseudo ? this.#notePseudo(name, value) : `${name} after a regular field`;
      else {
        isPseudo = false;
        const meaning = meaningOf(name);
        if (meaning === undefined) return `name ${JSON.stringify(name)}`;
        if (meaning !== "plain") fault = this.#note(meaning, name, value);
      }
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #notePseudo(name: string, value: string): string | undefined {
    const bit = pseudoBits.get(name);
    if (bit === undefined) return `unknown ${name}`;
    if (this.#pseudo & bit) return `${name} twice`;
    this.#pseudo |= bit;
    if (bit === method) this.method = value;
    else if (bit === scheme) this.#scheme = value;
    else if (bit === path) this.#path = value;
    else if (bit === authority) this.#authority = value;
    else if (bit === status) this.status = /^[1-9]\d\d$/.test(value) ? Number(value) : 0;
    return undefined;
  }

  #note(meaning: Meaning, name: string, value: string): string | undefined {
    switch (meaning) {
      case "forbidden":
        return `${name} speaks of another connection`;
      case "te":
        return value === "trailers" ? undefined : "te other than trailers";
      case "host":
        this.#host = value;
        return undefined;
      case "length": {
        const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
        if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length)) return "content-length";
        this.contentLength = length;
        return undefined;
      }
      default:
        return undefined;
    }
  }
}
