import { toBinary } from "@bufbuild/protobuf";
import type { UnaryResponse } from "@connectrpc/connect";
import { LRUCache } from "lru-cache";

/** An answer that may be given again. */
export interface CachedAnswer {
  readonly answer: UnaryResponse;
  /** When it was asked for, by the clock: it is no younger than that. */
  readonly askedAt: number;
  readonly maxAgeMs: number;
}

/** Many small answers cost more than their bytes. */
const maxAnswers = 50_000;

/** What an entry takes beside the bytes of its key, its message and its headers. */
const entryBytes = 500;

/** A message takes so many times the memory that its bytes on the wire would. */
const memoryRatio = 3;

/** Answers in memory, so many bytes of them at the most: those that nobody has asked for the longest go first. */
export class CachedAnswers {
  readonly #answers: LRUCache<string, CachedAnswer>;

  /** With `maxBytes` 0 nothing is kept. */
  constructor(maxBytes: number) {
    const maxSize = Math.max(maxBytes, 1);
    this.#answers = new LRUCache({ max: maxAnswers, maxSize, sizeCalculation: sizeOf });
  }

  /** The answer that is kept, if it is young enough at `now`. */
  find(key: string, now: number, maxAgeMs: number): CachedAnswer | undefined {
    const kept = this.#answers.get(key);
    if (kept === undefined) return undefined;
    const ageMs = now - kept.askedAt;
    if (ageMs < kept.maxAgeMs) return ageMs <= maxAgeMs ? kept : undefined;
    this.#answers.delete(key);
    return undefined;
  }

  /** Keeps an answer, unless one is kept that was asked for later. */
  keep(key: string, kept: CachedAnswer): void {
    const known = this.#answers.peek(key);
    if (known === undefined || known.askedAt <= kept.askedAt) this.#answers.set(key, kept);
  }
}

function sizeOf({ answer }: CachedAnswer, key: string): number {
  let size = entryBytes + key.length + memoryRatio * toBinary(answer.method.output, answer.message).length;
  answer.header.forEach((value, name) => {
    size += name.length + value.length;
  });
  return size;
}
