import { createHash } from "node:crypto";

/** Into how many slots subjects fall. The number is part of what is stored: it never changes. */
export const slotCount = 8;

/** All of them. */
export const allSlots: readonly number[] = Array.from({ length: slotCount }, (_, slot) => slot);

/**
 * The slot of a subject. Events of one subject are in one slot, and one replica at a time looks after a slot: that keeps
 * them in order while the replicas share the work.
 */
export function slotOf(subject: string): number {
  return createHash("md5").update(subject).digest().readUInt8(0) % slotCount;
}
