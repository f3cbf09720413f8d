import type { ManifestEntry } from "./manifest.ts";

/**
 * What is written into a restored database so that its log is sent again: a broker may have lost what was sent before and not
 * consumed. Who has taken an event in already does not do so again.
 */
export function resendSql(_entry: ManifestEntry): readonly string[] {
  return [];
}
