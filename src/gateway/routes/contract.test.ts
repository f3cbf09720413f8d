import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Type, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { DescriptorError, FileCollection } from "./contract.ts";

function collection(...files: readonly MessageInitShape<typeof FileDescriptorProtoSchema>[]): FileCollection {
  const collected = new FileCollection();
  for (const file of files) collected.add(toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, file)));
  return collected;
}

test("files may come in any order, and what is missing among them is known", () => {
  const user = { name: "a.proto", dependency: ["b.proto"], service: [{ name: "A" }] };
  const files = collection(user);
  expect(files.missing()).toEqual(["b.proto"]);
  const whole = collection(user, { name: "b.proto" });
  expect(whole.missing()).toEqual([]);
  expect(whole.contract("A", "a").service.typeName).toBe("A");
  expect(whole.contract("A", "a").digest).toBe(collection({ name: "b.proto" }, user).contract("A", "a").digest);
});

test("descriptors that make no sense are refused with the reason", () => {
  const circle = [
    { name: "a.proto", dependency: ["b.proto"] },
    { name: "b.proto", dependency: ["a.proto"] },
  ];
  expect(() => collection(...circle).contract("A", "a")).toThrow("a.proto imports itself");
  expect(() => collection({ name: "a.proto" }).contract("A", "a")).toThrow("the descriptors say nothing of A");
  const field = [{ name: "f", number: 1, type: FieldDescriptorProto_Type.MESSAGE, typeName: ".No" }];
  const dangling = { name: "a.proto", messageType: [{ name: "M", field }] };
  expect(() => collection(dangling).contract("A", "a")).toThrow(DescriptorError);
  expect(() => new FileCollection().add(Uint8Array.of(255, 255))).toThrow(/cannot be read/);
});

test("comments are no part of what a contract is, and are known by a digest of their own", () => {
  const service = { name: "a.proto", service: [{ name: "A" }] };
  const saying = (leadingComments: string) => {
    const location = [{ path: [6, 0], span: [0, 0, 9], leadingComments }];
    return collection({ ...service, sourceCodeInfo: { location } }).contract("A", "a");
  };
  const silent = collection(service).contract("A", "a");
  expect([saying("One.").digest, saying("Two.").digest]).toEqual([silent.digest, silent.digest]);
  expect(silent.comments).toBeUndefined();
  expect(saying("").comments).toBeUndefined();
  expect(saying("One.").comments).toBe(saying("One.").comments);
  expect(saying("One.").comments).not.toBe(saying("Two.").comments);
});
