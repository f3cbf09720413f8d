import { expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { commentOf, summaryOf } from "./comments.ts";

test.each([
  ["Returns one user.", "Returns one user"],
  ["Returns one user. Errors: NOT_FOUND.", "Returns one user"],
  ["Returns one\nuser, over two lines.\nAnd more.", "Returns one user, over two lines"],
  ["A heading without a stop\n\nThe text below it.", "A heading without a stop"],
  ["Reads things, e.g. books, or v1.5 of them. More.", "Reads things, e.g. books, or v1.5 of them"],
  ["Is it there? Who knows.", "Is it there?"],
  ["", ""],
])("the summary of %j is its first sentence", (comment, summary) => {
  expect(summaryOf(comment)).toBe(summary);
});

test("a summary stands in one line: a sentence that is too long for it is cut between words", () => {
  const summary = summaryOf(`Says ${"word after ".repeat(20)}word.`);
  expect(summary).toMatch(/^Says (word|after)( word| after)* …$/);
  expect(summary.length).toBeLessThanOrEqual(122);
});

test("generated code has no comments, and that is no error", () => {
  expect([commentOf(UserService), commentOf(UserService.method.getUser)]).toEqual(["", ""]);
});
