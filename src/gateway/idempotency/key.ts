/** What is wrong with a key, and how to mend it, for the answer. */
export interface KeyProblem {
  readonly problem: string;
}

/** Longer keys than this are nobody's: a UUID has 36 characters. */
const maxKeyLength = 255;

const wanted = `Idempotency-Key has to be a text in quotes of 1 to ${maxKeyLength} characters, such as "8e03978e-40d5-43e8-bc93-6894a57f9324"`;

/** A String of RFC 9651: printable ASCII in quotes, with quote and backslash escaped. */
const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** What many clients send: the same without quotes, of characters that nobody has to escape. */
const bare = /^[\w.:@=+/~-]+$/;

/**
 * The key that a header's value stands for, in quotes as the draft has it or without them
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
 */
export function readKey(value: string): string | KeyProblem {
  const key = quoted.exec(value)?.[1]?.replaceAll(/\\(["\\])/g, "$1") ?? bare.exec(value)?.[0];
  if (key === undefined || key === "") return { problem: `${wanted}; this one is not` };
  if (key.length > maxKeyLength) return { problem: `${wanted}; this one has ${key.length}` };
  return key;
}
