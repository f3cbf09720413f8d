/** What is said of whatever was thrown: an error's message, or the thing itself as text. */
export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
