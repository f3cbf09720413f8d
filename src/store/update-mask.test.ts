import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { fieldsToChange } from "./update-mask.ts";

const mask = (...paths: string[]) => create(FieldMaskSchema, { paths });
const product = (values: Partial<Record<"name" | "note", string>>) => ({
  resource: "product",
  fields: ["name", "note"] as const,
  required: ["name"] as const,
  ignored: ["id", "version"],
  filled: (field: "name" | "note") => Boolean(values[field]),
});

test("without a mask, what is filled changes", () => {
  expect(fieldsToChange(undefined, product({ note: "new" }))).toEqual(["note"]);
  expect(fieldsToChange(mask(), product({ name: "new" }))).toEqual(["name"]);
  expect(fieldsToChange(undefined, product({}))).toEqual([]);
});

test("with a mask, what it names changes, once, and what may be empty is emptied", () => {
  expect(fieldsToChange(mask("note", "note"), product({ name: "ignored" }))).toEqual(["note"]);
});

test("what is the service's to say may be named, to no effect: a client may send back what it read", () => {
  expect(fieldsToChange(mask("id", "version", "note"), product({}))).toEqual(["note"]);
});

test("what does not exist, or would be emptied, is refused by name, all at once", () => {
  const update = () => fieldsToChange(mask("nmae", "name"), product({}));
  expect(update).toThrow(expect.objectContaining({ code: Code.InvalidArgument }));
  expect(update).toThrow(/update_mask: names "nmae".*product\.name: .*must not be empty/);
});
