import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GetUserResponseSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UnaryAnswer } from "./unary-answer.ts";

const method = UserService.method.getUser;
const message = create(GetUserResponseSchema);

test("an answer shows its head and trailers as Headers, without pseudo fields, the same ones each time", () => {
  const answer = new UnaryAnswer(method, message, [":status", "200", "x-a", "1", "x-a", "2"], ["grpc-status", "0"]);
  expect(answer).toMatchObject({ stream: false, method, message, service: UserService });
  expect([...answer.header]).toEqual([["x-a", "1, 2"]]);
  expect([...answer.trailer]).toEqual([["grpc-status", "0"]]);
  expect(answer.header).toBe(answer.header);
  expect(answer.trailer).toBe(answer.trailer);
});

test("an answer of a head alone has no trailers", () => {
  expect([...new UnaryAnswer(method, message, [], undefined).trailer]).toEqual([]);
});
