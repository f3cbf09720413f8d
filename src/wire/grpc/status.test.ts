import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type Fields, fieldOf } from "../../call/fields.ts";
import {
  answerError,
  answerHead,
  errorTrailers,
  headError,
  isGrpc,
  okTrailers,
  toldError,
  withoutStatus,
} from "./status.ts";

const head: Fields = [":status", "200", "content-type", "application/grpc+proto"];

test.each([
  ["application/grpc+proto", true],
  ["application/grpc", true],
  ["application/grpc;charset=utf-8", true],
  ["Application/GRPC+proto", true],
  ["application/grpc+json", false],
  ["application/grpc-web+proto", false],
  ["application/proto", false],
])("content-type %s is gRPC with binary messages: %s", (type, is) => {
  expect(isGrpc([":status", "200", "content-type", type])).toBe(is);
  expect(isGrpc([])).toBe(false);
});

test("an answer that went well has no error", () => {
  expect(headError(answerHead)).toBeUndefined();
  expect(answerError(answerHead, okTrailers)).toBeUndefined();
  expect(answerError([...head, "grpc-encoding", "gzip"], okTrailers)).toBeUndefined();
});

test("an error is read from trailers as it was written: code, message, details and metadata", () => {
  const details = [{ desc: ErrorInfoSchema, value: { reason: "WHY", domain: "test" } }];
  const error = new ConnectError("füll und 100 %", Code.NotFound, { "x-more": "a" }, details);
  const trailers = errorTrailers(error, new Headers({ "x-own": "b" }));
  const read = answerError(head, trailers);
  expect(read).toMatchObject({ code: Code.NotFound, rawMessage: "füll und 100 %" });
  expect(read?.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "WHY" }]);
  expect(read?.metadata.get("x-more")).toBe("a");
  expect(read?.metadata.get("x-own")).toBe("b");
});

test("the handler's own trailers are not changed by telling of the error", () => {
  const own = new Headers({ "x-own": "b" });
  errorTrailers(new ConnectError("no", Code.Aborted), own);
  expect([...own.keys()]).toEqual(["x-own"]);
});

test("an error that is handed on says no more of its trailers than that it is not to be repeated", () => {
  const told = new ConnectError("no", Code.Unavailable, { "grpc-retry-pushback-ms": "-1", "x-secret": "a" });
  Object.assign(told, { isWireError: true });
  expect(errorTrailers(told, undefined)).toContain("grpc-retry-pushback-ms");
  expect(errorTrailers(told, undefined)).not.toContain("x-secret");
});

test("a status in the head of an answer that goes on is none of its own", () => {
  const told = [...head, "grpc-status", "8", "grpc-message", "early", "x-more", "a"];
  expect(withoutStatus(told)).toEqual([...head, "x-more", "a"]);
  expect(answerError(withoutStatus(told), ["grpc-status", "9"])).toMatchObject({ code: Code.FailedPrecondition });
  expect(answerError(withoutStatus(told), undefined)).toMatchObject({ code: Code.Internal });
});

test("an answer of a head alone tells its error there", () => {
  const only = [...head, "grpc-status", "5", "grpc-message", "no%20such"];
  expect(headError(only)).toMatchObject({ code: Code.NotFound, rawMessage: "no such" });
  expect(answerError(only, undefined)).toMatchObject({ code: Code.NotFound });
});

test.each<[what: string, head: Fields, trailers: Fields | undefined, code: Code]>([
  ["HTTP's 404", [":status", "404"], undefined, Code.Unimplemented],
  ["HTTP's 503", [":status", "503", "content-type", "text/html"], undefined, Code.Unavailable],
  ["HTTP's 401", [":status", "401"], undefined, Code.Unauthenticated],
  ["another content type", [":status", "200", "content-type", "text/html"], okTrailers, Code.Unknown],
  ["no status", head, [], Code.Internal],
  ["no trailers at all", head, undefined, Code.Internal],
  ["a status that is no number", head, ["grpc-status", "well"], Code.Internal],
  ["a status nobody knows", head, ["grpc-status", "99"], Code.Internal],
  ["an encoding nobody knows", [...head, "grpc-encoding", "zipper"], okTrailers, Code.Internal],
  ["details that are no base64", head, ["grpc-status", "3", "grpc-status-details-bin", "!"], Code.DataLoss],
])("%s is an error", (_, head, trailers, code) => {
  const error = answerError(head, trailers);
  expect(error).toBeInstanceOf(ConnectError);
  expect(Code[error?.code ?? 0]).toBe(Code[code]);
});

test("a caller is told what was meant for it, and nothing of a mistake", () => {
  const meant = new ConnectError("no", Code.Aborted);
  expect(toldError(meant)).toBe(meant);
  const bug = new TypeError("x is not a function");
  expect(toldError(bug)).toMatchObject({ code: Code.Internal, rawMessage: "internal error", cause: bug });
  expect(fieldOf(errorTrailers(toldError(bug), undefined), "grpc-message")).toBe("internal%20error");
});

test("an error's message keeps its words apart and its line on one line", () => {
  const trailers = errorTrailers(new ConnectError("a\nb", Code.Aborted), undefined);
  expect(fieldOf(trailers, "grpc-message")).toBe("a%0Ab");
});

test("an error that cannot change is written once, however many calls it ends", () => {
  const error = Object.freeze(new ConnectError("too much", Code.ResourceExhausted));
  expect(errorTrailers(error, undefined)).toBe(errorTrailers(error, undefined));
  expect(errorTrailers(error, new Headers({ "x-a": "1" }))).toContain("x-a");
  const other = new ConnectError("too much", Code.ResourceExhausted);
  const before = errorTrailers(other, undefined);
  other.metadata.set("x-b", "2");
  expect(before).not.toContain("x-b");
  expect(errorTrailers(other, undefined)).toContain("x-b");
});
