import Negotiator from "negotiator";

/** Encodings that answers are compressed in, the preferred one first. */
export type ContentEncoding = "zstd" | "br" | "gzip";

const offered: readonly ContentEncoding[] = ["zstd", "br", "gzip"];

/** Clients are of few kinds: what they accept is worked out once for each, and for no more than so many. */
const maxKnown = 256;
const known = new Map<string, ContentEncoding | undefined>();

/**
 * The encoding to answer in, by what `Accept-Encoding` says (https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.3):
 * what the caller would rather have, and of what it likes as well the one that costs least for what it saves; `undefined`
 * to leave the answer as it is.
 */
export function acceptedEncoding(accepted: string | null): ContentEncoding | undefined {
  if (accepted === null) return undefined;
  if (known.has(accepted)) return known.get(accepted);
  const chosen = negotiated(accepted);
  if (known.size < maxKnown) known.set(accepted, chosen);
  return chosen;
}

/** What @types/negotiator does not know yet: of what the caller likes as well as each other, the preferred one comes first. */
interface Preferring {
  encodings(available: readonly string[], options: { readonly preferred: readonly string[] }): string[];
}

function negotiated(accepted: string): ContentEncoding | undefined {
  const negotiator: Preferring = new Negotiator({ headers: { "accept-encoding": accepted } });
  const [first] = negotiator.encodings([...offered, "identity"], { preferred: offered });
  return offered.find((encoding) => encoding === first);
}
