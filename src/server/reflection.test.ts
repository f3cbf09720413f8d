import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { openPair } from "../testing/open-pair.ts";

type Question =
  | { case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined };

/** Asks on one stream, over the wire, and returns the answers. */
async function ask(version: "v1" | "v1alpha", ...questions: Question[]) {
  await using pair = await openPair({ services: [[UserService, {}]] });
  async function* requests() {
    for (const messageRequest of questions) yield { host: "here", messageRequest };
  }
  const answers = [];
  const stream =
    version === "v1"
      ? pair.client(ServerReflection).serverReflectionInfo(requests())
      : pair.client(ServerReflectionAlpha).serverReflectionInfo(requests());
  for await (const answer of stream) {
    expect(answer.validHost).toBe("here");
    expect(answer.originalRequest?.messageRequest.case).toBe(questions[answers.length]?.case);
    answers.push(answer.messageResponse);
  }
  return answers;
}

type Answer = Awaited<ReturnType<typeof ask>>[number] | undefined;

function filesOf(answer: Answer): FileDescriptorProto[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`no files, but ${answer?.case}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

const namesOf = (answer: Answer) => filesOf(answer).map(({ name }) => name);

test.each(["v1", "v1alpha"] as const)("%s lists the services", async (version) => {
  const [answer] = await ask(version, { case: "listServices", value: "*" });
  expect(answer).toMatchObject({
    case: "listServicesResponse",
    value: { service: expect.arrayContaining([expect.objectContaining({ name: "shop.user.v1.UserService" })]) },
  });
});

test.each(["v1", "v1alpha"] as const)("%s hands out a service with all it imports, imports first", async (version) => {
  const [answer] = await ask(version, { case: "fileContainingSymbol", value: "shop.user.v1.UserService" });
  const file = filesOf(answer);
  expect(file.at(-1)?.name).toBe("shop/user/v1/user.proto");
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  expect(registry.getService("shop.user.v1.UserService")?.methods).toHaveLength(UserService.methods.length);
});

test.each([
  "shop.user.v1.User",
  "shop.user.v1.User.email",
  "shop.user.v1.UserService.GetUser",
  "heddle.policy.v1.method",
  "heddle.policy.v1.Breaker",
  "heddle.policy.v1.StatusCode",
  "heddle.policy.v1.STATUS_CODE_UNAVAILABLE",
  "google.rpc.BadRequest.FieldViolation",
  "google.protobuf.Timestamp",
  "grpc.health.v1.Health",
])("the symbol %s is found", async (value) => {
  const [answer] = await ask("v1", { case: "fileContainingSymbol", value });
  expect(filesOf(answer).at(-1)?.package).toBe(value.match(/^[a-z0-9.]*[a-z0-9](?=\.[A-Zm])/)?.[0]);
});

test("a file already sent on a stream is not sent again, unless it is asked for by name", async () => {
  const [first, second, third] = await ask(
    "v1",
    { case: "fileContainingSymbol", value: "shop.user.v1.UserService" },
    { case: "fileContainingSymbol", value: "shop.user.v1.User" },
    { case: "fileByFilename", value: "google/protobuf/timestamp.proto" },
  );
  expect(namesOf(first).length).toBeGreaterThan(5);
  expect(namesOf(second)).toEqual(["shop/user/v1/user.proto"]);
  expect(namesOf(third)).toEqual(["google/protobuf/timestamp.proto"]);
});

test("extensions are found by number", async () => {
  const containingType = "google.protobuf.MethodOptions";
  const [file, numbers] = await ask(
    "v1",
    { case: "fileContainingExtension", value: { containingType, extensionNumber: 50700 } },
    { case: "allExtensionNumbersOfType", value: containingType },
  );
  expect(namesOf(file).at(-1)).toBe("heddle/policy/v1/policy.proto");
  expect(numbers).toMatchObject({
    value: { baseTypeName: containingType, extensionNumber: expect.arrayContaining([50700, 72295728]) },
  });
});

test("what is not known is an answer, not the end of the stream", async () => {
  const answers = await ask(
    "v1",
    { case: "fileContainingSymbol", value: "nobody.Knows" },
    { case: "fileByFilename", value: "no.proto" },
    { case: "fileContainingExtension", value: { containingType: "no.Type", extensionNumber: 1 } },
    { case: "allExtensionNumbersOfType", value: "no.Type" },
    { case: undefined },
    { case: "listServices", value: "" },
  );
  const codes = answers.map((answer) => (answer.case === "errorResponse" ? answer.value.errorCode : answer.case));
  const { NotFound, InvalidArgument } = Code;
  expect(codes).toEqual([NotFound, NotFound, NotFound, NotFound, InvalidArgument, "listServicesResponse"]);
});
