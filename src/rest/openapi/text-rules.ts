import type { JsonObject } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { BytesRules, StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { escaped, listKeywords, patternKeywords, type Ruled } from "./rule-words.ts";

const anyAddress = [{ format: "ipv4" }, { format: "ipv6" }];

/** What a well-known kind of text is in JSON Schema. Those it has no format for are said in words alone. */
const kinds: Readonly<Record<string, JsonObject>> = {
  email: { format: "email" },
  hostname: { format: "hostname" },
  ip: { anyOf: anyAddress },
  ipv4: { format: "ipv4" },
  ipv6: { format: "ipv6" },
  uri: { format: "uri" },
  uriRef: { format: "uri-reference" },
  address: { anyOf: [{ format: "hostname" }, ...anyAddress] },
  uuid: { format: "uuid" },
  tuuid: { pattern: "^[0-9a-fA-F]{32}$" },
  ulid: { pattern: "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$" },
};

const kindWords: Readonly<Record<string, string>> = {
  ipWithPrefixlen: "an IP address with the length of its prefix",
  ipv4WithPrefixlen: "an IPv4 address with the length of its prefix",
  ipv6WithPrefixlen: "an IPv6 address with the length of its prefix",
  ipPrefix: "an IP prefix",
  ipv4Prefix: "an IPv4 prefix",
  ipv6Prefix: "an IPv6 prefix",
  hostAndPort: "a host and a port",
  protobufFqn: "a Protobuf name",
  protobufDotFqn: "a Protobuf name with a dot before it",
  wellKnownRegex: "fit to stand in an HTTP header",
};

/** The rules of a string. */
export function stringRules(rules: StringRules): Ruled {
  const words: string[] = [];
  const patterns = [
    ...(rules.prefix ? [`^${escaped(rules.prefix)}`] : []),
    ...(rules.suffix ? [`${escaped(rules.suffix)}$`] : []),
    ...(rules.contains ? [escaped(rules.contains)] : []),
    ...(rules.notContains ? [`^(?![\\s\\S]*${escaped(rules.notContains)})`] : []),
  ];
  if (rules.pattern !== "") {
    if (isPattern(rules.pattern)) patterns.unshift(rules.pattern);
    else words.push(`Has to match \`${rules.pattern}\` (RE2).`);
  }
  const kind = rules.wellKnown.value ? (rules.wellKnown.case ?? "") : "";
  const { pattern, ...ofKind } = kinds[kind] ?? {};
  if (typeof pattern === "string") patterns.push(pattern);
  if (kindWords[kind] !== undefined) words.push(`Has to be ${kindWords[kind]}.`);
  if (rules.minBytes > 0n) words.push(`At least ${rules.minBytes} bytes of UTF-8.`);
  if (rules.maxBytes > 0n) words.push(`At most ${rules.maxBytes} bytes of UTF-8.`);
  if (rules.lenBytes > 0n) words.push(`Exactly ${rules.lenBytes} bytes of UTF-8.`);
  const keywords = {
    ...(rules.const !== "" && { const: rules.const }),
    ...lengths(Number(rules.len || rules.minLen), Number(rules.len || rules.maxLen)),
    ...patternKeywords(patterns),
    ...ofKind,
    ...listKeywords(rules.in, rules.notIn),
    ...(rules.example.length > 0 && { examples: [...rules.example] }),
  };
  return { keywords, words };
}

/** The rules of bytes, whose length in JSON is that of their base64. */
export function bytesRules(rules: BytesRules): Ruled {
  const [min, max] = [Number(rules.len || rules.minLen), Number(rules.len || rules.maxLen)];
  const words: string[] = [];
  if (min > 0) words.push(`At least ${min} bytes.`);
  if (max > 0) words.push(`At most ${max} bytes.`);
  if (rules.pattern !== "") words.push(`The bytes have to match \`${rules.pattern}\`.`);
  for (const [name, part] of [
    ["begin with", rules.prefix],
    ["end with", rules.suffix],
    ["contain", rules.contains],
  ] as const) {
    if (part.length > 0) words.push(`The bytes have to ${name} \`${base64Encode(part)}\` (base64).`);
  }
  const keywords = {
    ...(rules.const.length > 0 && { const: base64Encode(rules.const) }),
    ...lengths(Math.ceil((min * 4) / 3), Math.ceil(max / 3) * 4),
    ...listKeywords(
      rules.in.map((bytes) => base64Encode(bytes)),
      rules.notIn.map((bytes) => base64Encode(bytes)),
    ),
  };
  return { keywords, words };
}

function lengths(min: number, max: number): JsonObject {
  return { ...(min > 0 && { minLength: min }), ...(max > 0 && { maxLength: max }) };
}

/** Whether JavaScript, and so JSON Schema, reads the pattern too: RE2 has a few forms of its own. */
function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false; // it is said in words
  }
}
