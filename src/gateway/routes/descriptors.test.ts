import { create, type DescFile, getOption, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { methodPolicy } from "../../call/policy.ts";
import { reflectionServices } from "../../server/reflection.ts";
import { readFiles } from "./descriptors.ts";

const { signal } = new AbortController();
const name = UserService.typeName;

/** A server's reflection, of all versions or only of the named one. */
function reflecting(version = "") {
  return createRouterTransport((router) => {
    for (const [service, implementation] of reflectionServices([UserService])) {
      if (service.typeName.includes(version)) router.service(service, implementation);
    }
  });
}

/** A server that answers each question with one file, as some do; `withheld` it does not have. */
function fileByFile(withheld = "") {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    files.set(file.proto.name, file);
    file.dependencies.forEach(add);
  };
  add(UserService.file);
  files.delete(withheld);
  const answer = ({ messageRequest: asked }: ServerReflectionRequest) => {
    const file = asked.case === "fileByFilename" ? files.get(asked.value) : UserService.file;
    const fileDescriptorProto = file ? [toBinary(FileDescriptorProtoSchema, file.proto)] : [];
    return create(ServerReflectionResponseSchema, {
      messageResponse: { case: "fileDescriptorResponse", value: { fileDescriptorProto } },
    });
  };
  return createRouterTransport((router) =>
    router.service(ServerReflection, {
      async *serverReflectionInfo(questions) {
        for await (const question of questions) yield answer(question);
      },
    }),
  );
}

test("a service describes itself, with its REST paths and its policies", async () => {
  const { service } = (await readFiles(reflecting(), name, signal)).contract(name, "user");
  const { getUser } = service.method;
  expect(service).not.toBe(UserService);
  expect(getUser && getOption(getUser, http).pattern).toEqual({ case: "get", value: "/v1/users/{id}" });
  expect(getUser && methodPolicy(getUser)).toEqual(methodPolicy(UserService.method.getUser));
});

test("a server that knows only v1alpha, or sends file by file, tells the same", async () => {
  const whole = (await readFiles(reflecting(), name, signal)).contract(name, "user");
  const alpha = (await readFiles(reflecting("v1alpha"), name, signal)).contract(name, "user");
  const piecemeal = (await readFiles(fileByFile(), name, signal)).contract(name, "user");
  expect([alpha.digest, piecemeal.digest]).toEqual([whole.digest, whole.digest]);
});

test("a service that is not there, or a file that is withheld, is named", async () => {
  await expect(readFiles(reflecting(), "no.such.Service", signal)).rejects.toThrow(
    /no\.such\.Service is not known here/,
  );
  const withheld = "google/api/http.proto";
  await expect(readFiles(fileByFile(withheld), name, signal)).rejects.toThrow(
    `${withheld} is imported, but not to be had`,
  );
});
