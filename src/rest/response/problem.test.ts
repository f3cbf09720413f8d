import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { invalidArgument, notFound, unavailable } from "../../call/errors.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { transcoder } from "../transcoder.ts";
import { prefersProblem } from "./problem.ts";

async function told(reason: unknown, url = "/v1/users/1") {
  const transport = createRouterTransport((router) =>
    router.service(UserService, {
      getUser: () => {
        throw reason;
      },
    }),
  );
  const header = { accept: "application/json, application/problem+json" };
  const answer = await transcoder({ services: [UserService], transport })(restRequest("GET", url, { header }));
  if (answer === undefined) throw new Error("no answer");
  return readAnswer(answer);
}

test("a caller that asks for problems gets its errors as RFC 9457 has them, the details beside", async () => {
  const answer = await told(notFound("user", 1n, "shop.user.v1"), "/v1/users/1");
  expect([answer.status, answer.header.get("content-type")]).toEqual([404, "application/problem+json"]);
  expect(answer.header.get("content-length")).toBe(String(answer.text.length));
  expect(answer.json).toEqual({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "user 1 does not exist",
    instance: "/v1/users/1",
    code: "NOT_FOUND",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "USER_NOT_FOUND",
        domain: "shop.user.v1",
        metadata: { user: "1" },
      },
    ],
  });
});

test("a problem lists the fields that are wrong, from here and from the service", async () => {
  const field = { field: "email", description: "must be an address" };
  const fromService = await told(invalidArgument([field]));
  expect(fromService.json).toMatchObject({ status: 400, errors: [{ field: "email", detail: "must be an address" }] });
  const fromHere = await told(undefined, "/v1/users/x?secret=1");
  expect(fromHere.json).toMatchObject({
    title: "Bad Request",
    instance: "/v1/users/x",
    errors: [{ field: "secret", detail: "unknown query parameter" }],
  });
});

test("a problem keeps Retry-After, and internals to itself", async () => {
  const later = await told(unavailable("later", { reason: "BUSY", domain: "heddle", retryAfterMs: 1_200 }));
  expect([later.status, later.header.get("retry-after")]).toEqual([503, "2"]);
  const inner = await told(new TypeError("hunter2"));
  expect(inner.json).toMatchObject({ title: "Internal Server Error", detail: "internal error", code: "INTERNAL" });
  expect(inner.text).not.toContain("hunter2");
});

test("statuses that no code stands for have their titles too", async () => {
  expect((await told(undefined, `/v1/users/${"x".repeat(20_000)}`)).json).toMatchObject({
    title: "URI Too Long",
    status: 414,
  });
  expect((await told(new ConnectError("gone", Code.Canceled))).json).toMatchObject({ code: "CANCELLED", status: 499 });
});

test("answers to errors vary by Accept, whichever they are", async () => {
  expect((await told(new ConnectError("no", Code.NotFound))).header.get("vary")).toBe("accept");
});

const accepts: readonly (readonly [accept: string | null, prefers: boolean])[] = [
  [null, false],
  ["*/*", false],
  ["application/json", false],
  ["application/problem+json", true],
  ["Application/Problem+JSON", true],
  ["application/json, application/problem+json", true],
  ["application/problem+json;q=0.9, application/json;q=0.5", true],
  ["application/problem+json; q=0.5, application/json", false],
  ["application/problem+json;q=0", false],
  ["application/problem+jsonx", false],
  ["application/problem+xml, */*", false],
];

test.each(accepts)("Accept: %s asks for problems: %s", (accept, prefers) => {
  expect(prefersProblem(accept)).toBe(prefers);
});
