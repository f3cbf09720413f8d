import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { openPair } from "../testing/open-pair.ts";
import type { Descriptors } from "./source-info.ts";

/** The user contract as buf builds it: comments where declarations have some, and the places of those that have none. */
function commented(change: (file: FileDescriptorProto) => FileDescriptorProto = (file) => file): Uint8Array {
  const location = [
    { path: [6, 0], span: [14, 0, 50, 1], leadingComments: " The people who order.\n" },
    { path: [6, 0, 2, 0], span: [15, 2, 16, 3] },
  ];
  const sourceCodeInfo = create(SourceCodeInfoSchema, { location });
  const file = change({ ...UserService.file.proto, sourceCodeInfo });
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file] }));
}

/** The files that a server with these descriptors tells of the user service, and what it warns of. */
async function told(descriptors: Descriptors) {
  const warnings: unknown[] = [];
  const log: Logger = { ...silentLogger, warn: (message, fields) => warnings.push([message, fields]) };
  await using pair = await openPair({ services: [[UserService, {}]], descriptors, log });
  async function* questions() {
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: UserService.typeName } };
  }
  const files: FileDescriptorProto[] = [];
  for await (const { messageResponse } of pair.client(ServerReflection).serverReflectionInfo(questions())) {
    if (messageResponse.case !== "fileDescriptorResponse") throw new Error(`no files, but ${messageResponse.case}`);
    const { fileDescriptorProto } = messageResponse.value;
    files.push(...fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)));
  }
  return { files, user: files.at(-1), warnings };
}

test("reflection hands on the comments of the very same contract, and nothing of where else things stand", async () => {
  const { files, user, warnings } = await told(commented());
  expect(user?.name).toBe("shop/user/v1/user.proto");
  expect(user?.sourceCodeInfo?.location.map(({ leadingComments }) => leadingComments)).toEqual([
    " The people who order.\n",
  ]);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
  expect(registry.getService(UserService.typeName)?.methods).toHaveLength(UserService.methods.length);
  expect(warnings).toEqual([]);
});

test("comments come from a file as well, by path or URL", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-descriptors-"));
  try {
    const path = join(folder, "descriptors.binpb");
    await writeFile(path, commented());
    for (const descriptors of [path, new URL(`file://${path}`)]) {
      expect((await told(descriptors)).user?.sourceCodeInfo?.location).toHaveLength(1);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("of a contract that is not quite the same nothing is taken: its comments may be about something else", async () => {
  const { user } = await told(commented((file) => ({ ...file, messageType: file.messageType.toReversed() })));
  expect(user?.sourceCodeInfo).toBeUndefined();
  expect(user?.service[0]?.name).toBe("UserService");
});

test.each<readonly [string, Descriptors]>([
  ["a file that is missing", "/nowhere/descriptors.binpb"],
  ["bytes that are no descriptors", Uint8Array.of(255, 255)],
])("%s costs the comments, is told of, and harms nobody", async (_, descriptors) => {
  const { user, warnings } = await told(descriptors);
  expect(user?.sourceCodeInfo).toBeUndefined();
  expect(warnings).toEqual([[expect.stringContaining("without comments"), { problem: expect.any(String) }]]);
});

test("what `make generate` leaves has the comments of every contract of ours", async () => {
  const { heddleDescriptors } = await import("../app/descriptors.ts");
  const { files } = await told(heddleDescriptors);
  const ours = files.filter(({ package: name }) => /^(shop|heddle)\./.test(name));
  expect(ours.map(({ name }) => name)).toEqual([
    "heddle/policy/v1/policy.proto",
    "shop/order/v1/order.proto",
    "shop/user/v1/user.proto",
  ]);
  for (const { sourceCodeInfo } of ours) expect(sourceCodeInfo?.location.length).toBeGreaterThan(20);
});
