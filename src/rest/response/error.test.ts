import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { notFound, unavailable } from "../../call/errors.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { contractRegistry } from "../registry.ts";
import { transcoder } from "../transcoder.ts";
import { statusJson } from "./error.ts";

async function answerTo(reason: unknown) {
  const transport = createRouterTransport((router) =>
    router.service(UserService, {
      getUser: () => {
        throw reason;
      },
    }),
  );
  const answer = await transcoder({ services: [UserService], transport })(restRequest("GET", "/v1/users/1"));
  if (answer === undefined) throw new Error("no answer");
  return readAnswer(answer);
}

const statuses: readonly (readonly [code: keyof typeof Code, status: number])[] = [
  ["Canceled", 499],
  ["Unknown", 500],
  ["InvalidArgument", 400],
  ["DeadlineExceeded", 504],
  ["NotFound", 404],
  ["AlreadyExists", 409],
  ["PermissionDenied", 403],
  ["ResourceExhausted", 429],
  ["FailedPrecondition", 400],
  ["Aborted", 409],
  ["OutOfRange", 400],
  ["Unimplemented", 501],
  ["Internal", 500],
  ["Unavailable", 503],
  ["DataLoss", 500],
  ["Unauthenticated", 401],
];

test.each(statuses)("%s is answered %i, with the same code in the body", async (name, status) => {
  const answer = await answerTo(new ConnectError("why", Code[name]));
  expect(answer.status).toBe(status);
  expect(answer.json).toEqual({ code: Code[name], message: "why", details: [] });
  expect(answer.header.get("content-type")).toBe("application/json");
});

test("details that came over the wire are told in full", async () => {
  expect((await answerTo(notFound("user", 7n, "shop.user.v1"))).json).toEqual({
    code: 5,
    message: "user 7 does not exist",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "USER_NOT_FOUND",
        domain: "shop.user.v1",
        metadata: { user: "7" },
      },
    ],
  });
});

test("Retry-After is RetryInfo in whole seconds, rounded up", async () => {
  const retryAfter = async (retryAfterMs: number) =>
    (await answerTo(unavailable("later", { reason: "BUSY", domain: "heddle", retryAfterMs }))).header.get(
      "retry-after",
    );
  expect(await retryAfter(1_200)).toBe("2");
  expect(await retryAfter(1)).toBe("1");
  expect(await retryAfter(0)).toBe("0");
});

test("headers of an error come back like those of a success", async () => {
  const answer = await answerTo(new ConnectError("no", Code.NotFound, { "x-served-by": "user-1" }));
  expect(answer.header.get("x-served-by")).toBe("user-1");
});

test("what was not meant for callers is an internal error and no more", async () => {
  const answer = await answerTo(new TypeError("password is hunter2"));
  expect(answer.status).toBe(500);
  expect(answer.json).toEqual({ code: 13, message: "internal error", details: [] });
  const broken = {
    unary: () => Promise.reject(new Error("hunter2")),
    stream: () => Promise.reject(new Error("hunter2")),
  };
  const direct = await transcoder({ services: [UserService], transport: broken })(restRequest("GET", "/v1/users/1"));
  expect(direct && (await readAnswer(direct)).json).toEqual({ code: 13, message: "internal error", details: [] });
});

test("details made here and details from the wire look alike; unknown and broken ones keep their bytes", () => {
  const info = create(ErrorInfoSchema, { reason: "R", domain: "d" });
  const error = new ConnectError("x", Code.Aborted, undefined, [
    { desc: ErrorInfoSchema, value: { reason: "R", domain: "d" } },
    { desc: DurationSchema, value: { seconds: 2n } },
  ]);
  error.details.push({ type: "google.rpc.ErrorInfo", value: toBinary(ErrorInfoSchema, info) });
  error.details.push({ type: "no.such.Type", value: Uint8Array.of(1, 2, 3) });
  error.details.push({ type: "google.rpc.ErrorInfo", value: Uint8Array.of(255) });
  expect(statusJson(error, contractRegistry([UserService])).details).toEqual([
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "R", domain: "d" },
    { "@type": "type.googleapis.com/google.protobuf.Duration", value: "2s" },
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "R", domain: "d" },
    { "@type": "type.googleapis.com/no.such.Type", value: "AQID" },
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", value: "/w==" },
  ]);
});
