/**
 * When a row is changed: now, or, on a machine whose date was set back, no earlier than when it was changed before. What
 * was made first is never shown to have changed before it was there.
 */
export function changedAt(row: { readonly updatedAt: Date }, now: number): Date {
  return new Date(Math.max(now, row.updatedAt.getTime()));
}
