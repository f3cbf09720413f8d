import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescOneof,
  DescService,
} from "@bufbuild/protobuf";

/** What a contract may say something over. */
export type Commented = DescService | DescMethod | DescMessage | DescField | DescOneof | DescEnum | DescEnumValue;

/** The longest summary: it stands in one line of a list. */
const maxSummaryLength = 120;

const indexes = new WeakMap<DescFile, ReadonlyMap<string, string>>();

/**
 * The comment over a declaration, or behind it, as its author wrote it; "" where the descriptor carries none. Generated
 * code never does: a descriptor has comments if it was built with source info.
 */
export function commentOf(desc: Commented): string {
  const path = pathOf(desc);
  return path === undefined ? "" : (indexOf(fileOf(desc)).get(path.join()) ?? "");
}

/** The first sentence, in one line and without its full stop: what a list of operations shows. */
export function summaryOf(comment: string): string {
  const [paragraph = ""] = comment.split(/\n\s*\n/);
  const text = paragraph.replaceAll(/\s+/g, " ");
  const sentence = /^.*?(?<!\b(?:e\.g|i\.e|etc|vs))[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
  const plain = sentence.replace(/\.$/, "");
  if (plain.length <= maxSummaryLength) return plain;
  return `${plain.slice(0, plain.lastIndexOf(" ", maxSummaryLength - 1))} …`;
}

function fileOf(desc: Commented): DescFile {
  if (desc.kind === "enum_value" || desc.kind === "field" || desc.kind === "oneof" || desc.kind === "rpc") {
    return desc.parent.file;
  }
  return desc.file;
}

function indexOf(file: DescFile): ReadonlyMap<string, string> {
  const known = indexes.get(file);
  if (known !== undefined) return known;
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  const index = new Map<string, string>();
  for (const { path, leadingComments, trailingComments } of locations) {
    const comment = cleaned(leadingComments) || cleaned(trailingComments);
    if (comment !== "") index.set(path.join(), comment);
  }
  indexes.set(file, index);
  return index;
}

/** Without what is meant for tools and colleagues: lint directives, and `(-- … --)` as https://google.aip.dev/192 has it. */
function cleaned(comment: string): string {
  const lines = comment.replaceAll(/\(--[\s\S]*?--\)/g, "").split("\n");
  const kept = lines.map((line) => line.replace(/^ /, "").trimEnd()).filter((line) => !/^\s*buf:lint:/.test(line));
  return kept.join("\n").trim();
}

/** Where the declaration stands in its file: field numbers of descriptor.proto with indexes, in turn. */
function pathOf(desc: Commented): readonly number[] | undefined {
  switch (desc.kind) {
    case "service":
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case "rpc":
      return below(desc.parent, 2, desc.parent.proto.method.indexOf(desc.proto));
    case "message":
      return desc.parent === undefined
        ? [4, desc.file.proto.messageType.indexOf(desc.proto)]
        : below(desc.parent, 3, desc.parent.proto.nestedType.indexOf(desc.proto));
    case "enum":
      return desc.parent === undefined
        ? [5, desc.file.proto.enumType.indexOf(desc.proto)]
        : below(desc.parent, 4, desc.parent.proto.enumType.indexOf(desc.proto));
    case "enum_value":
      return below(desc.parent, 2, desc.parent.proto.value.indexOf(desc.proto));
    case "field":
      return below(desc.parent, 2, desc.parent.proto.field.indexOf(desc.proto));
    case "oneof":
      return below(desc.parent, 8, desc.parent.proto.oneofDecl.indexOf(desc.proto));
  }
}

function below(parent: Commented, field: number, index: number): readonly number[] | undefined {
  const path = pathOf(parent);
  return path === undefined ? undefined : [...path, field, index];
}
