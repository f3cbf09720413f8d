import { globSync, readFileSync, writeFileSync } from "node:fs";
import { type DescField, type DescMessage, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { generatedFiles, isOurs } from "./contracts.ts";
import { messageJson } from "./golden-values.ts";

/** A message as it was written once: its bytes, and what they say. */
export interface Sample {
  readonly base64: string;
  readonly json: JsonValue;
}

/** The samples of one package, by message type. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** Where they are: one file a package. */
export const goldenDir = `${import.meta.dirname}/golden`;

/** What to run when a sample is missing. */
export const writeCommand = "node src/test/contract/write-golden.ts";

/** Every message type of our packages, nested ones included, without the entries of maps. */
export async function ourMessages(): Promise<readonly DescMessage[]> {
  return (await generatedFiles()).filter(isOurs).flatMap((file) => file.messages.flatMap(withNested));
}

function withNested(desc: DescMessage): DescMessage[] {
  return [desc, ...desc.nestedMessages.flatMap(withNested)];
}

/** The samples that are checked in, of all packages. */
export function readSamples(): Samples {
  const files = globSync("*.json", { cwd: goldenDir }).sort();
  return Object.assign({}, ...files.map((file) => JSON.parse(readFileSync(`${goldenDir}/${file}`, "utf8")) as Samples));
}

/** The fields of a message that none of its samples has. */
export function unsampled(desc: DescMessage, samples: readonly Sample[] = []): readonly DescField[] {
  const seen = new Set(samples.flatMap(({ json }) => Object.keys(json as object)));
  return desc.fields.filter(({ jsonName }) => !seen.has(jsonName));
}

/** Samples for what has none yet: one for a new type, and more where a oneof or a new field asks for them. */
export function missingSamples(desc: DescMessage, known: readonly Sample[] = []): readonly Sample[] {
  const made: Sample[] = [];
  if (known.length === 0 && desc.fields.length === 0) return [sampleOf(desc, [])];
  for (let left = unsampled(desc, known); left.length > 0; left = unsampled(desc, [...known, ...made])) {
    made.push(sampleOf(desc, left));
  }
  return made;
}

function sampleOf(desc: DescMessage, wanted: readonly DescField[]): Sample {
  const message = fromJson(desc, messageJson(desc, { wanted }));
  return { base64: base64Encode(toBinary(desc, message)), json: toJson(desc, message) };
}

/** Adds to the files what is missing, and tells of what. What is there stays as it is. */
export function writeMissing(messages: readonly DescMessage[], samples: Samples): readonly string[] {
  const added: string[] = [];
  for (const [name, ofPackage] of Map.groupBy(messages, ({ file }) => file.proto.package)) {
    const now: Record<string, readonly Sample[]> = {};
    for (const [type, known] of Object.entries(samples)) if (type.startsWith(`${name}.`)) now[type] = known;
    const lacking = ofPackage.filter((desc) => missingSamples(desc, now[desc.typeName]).length > 0);
    if (lacking.length === 0) continue;
    for (const desc of lacking) {
      const known = now[desc.typeName] ?? [];
      now[desc.typeName] = [...known, ...missingSamples(desc, known)];
      added.push(desc.typeName);
    }
    writeFileSync(`${goldenDir}/${name}.json`, `${JSON.stringify(now, null, 2)}\n`);
  }
  return added;
}
