import { ConnectionError, ErrorCode } from "./errors.ts";
import { HeaderList } from "./header-list.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import type { Limits } from "./limits.ts";

/** Longest block that is worth remembering, and how many are. */
const [cachedBytes, cachedBlocks] = [256, 128];
/** After so many blocks in a row that were new, remembering stops for a while: this peer does not repeat itself. */
const [patience, pause] = [64, 1_024];

/**
 * Puts header blocks together out of HEADERS and CONTINUATION (RFC 9113 §4.3) and reads them. A block that is equal to
 * one before, byte for byte, means the same as long as the dynamic table has not changed in between: then it is not
 * read again. So the lists it gives are shared, and nobody may write in them.
 */
export class BlockReader {
  /** The stream whose block is open, or 0: then no other frame may come (§6.10). */
  openId = 0;
  /** Blocks that took more than one frame, so far. */
  count = 0;
  readonly #decoder: HpackDecoder;
  readonly #limits: Limits;
  readonly #cache = new Map<string, HeaderList>();
  #generation = 0;
  #overflowed: "headerListBytes" | "headerCount" | undefined;
  #strangers = 0;
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#decoder = new HpackDecoder(limits);
  }

  /** The limit that the last list passed: then it is only a beginning. */
  get overflowed(): "headerListBytes" | "headerCount" | undefined {
    return this.#overflowed;
  }

  /** The peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE. */
  allow(tableBytes: number): void {
    this.#decoder.allow(tableBytes);
    this.#cache.clear();
  }

  /** Opens a block with its first fragment. */
  begin(id: number, fragment: Buffer): void {
    this.openId = id;
    this.count++;
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#append(fragment);
  }

  /** Takes the fragment of a CONTINUATION. */
  continue(fragment: Buffer): void {
    if (this.#fragments.length > this.#limits.continuationFrames) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "too many: continuationFrames", "continuationFrames");
    }
    this.#append(fragment);
  }

  /** Closes the open block and reads it. */
  end(): HeaderList {
    const block = Buffer.concat(this.#fragments);
    this.openId = 0;
    this.#fragments = [];
    return this.read(block, 0, block.length);
  }

  /** Reads a whole block. */
  read(bytes: Buffer, start: number, end: number): HeaderList {
    if (end - start > cachedBytes || this.#strangers > patience) {
      if (this.#strangers > patience && ++this.#strangers > patience + pause) this.#strangers = 0;
      return this.#decode(bytes, start, end);
    }
    const key = this.#cache.size > 0 ? bytes.toString("latin1", start, end) : undefined;
    const known = key === undefined ? undefined : this.#cache.get(key);
    if (known !== undefined) {
      this.#strangers = 0;
      this.#overflowed = undefined; // only lists within the limits are kept
      return known;
    }
    const generation = this.#generation;
    const list = this.#decode(bytes, start, end);
    if (generation === this.#generation) this.#remember(key ?? bytes.toString("latin1", start, end), list);
    return list;
  }

  #remember(key: string, list: HeaderList): void {
    if (this.#overflowed !== undefined) return;
    this.#strangers++;
    if (this.#cache.size >= cachedBlocks) this.#cache.clear();
    this.#cache.set(key, list);
  }

  #decode(bytes: Buffer, start: number, end: number): HeaderList {
    const list = new HeaderList(this.#decoder.decode(bytes, start, end));
    this.#overflowed = this.#decoder.overflowed;
    if (this.#generation !== this.#decoder.generation) {
      this.#generation = this.#decoder.generation;
      this.#cache.clear();
    }
    return list;
  }

  #append(fragment: Buffer): void {
    this.#fragmentBytes += fragment.length;
    if (this.#fragmentBytes > this.#limits.headerListBytes) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "header block above headerListBytes", "headerListBytes");
    }
    this.#fragments.push(Buffer.from(fragment)); // the giver of the bytes may use them again
  }
}
