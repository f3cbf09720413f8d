import { expect, test } from "vitest";
import { trials } from "./try-it.ts";

const facts = { users: [], grpc: "grpcurl", buf: "node_modules/.bin/buf", gateway: "localhost:8000" } as const;
const commands = (more: object = {}) => trials({ ...facts, ...more }).map(({ command }) => command);

test("in an empty shop Ada is the first user, and the order is hers", () => {
  const [user, order] = commands();
  expect(user).toContain('"email":"ada@example.com"');
  expect(order).toContain('"user_id":1,');
});

test("where Ada is known somebody else is created, and the order is for a user who exists", () => {
  const [user, order] = commands({ users: [{ id: 7n, email: "Ada@example.com" }] });
  expect(user).toContain('"name":"Grace"');
  expect(order).toContain('"user_id":7,');
});

test("when all names are taken they come again with a number", () => {
  const names = ["ada", "grace", "barbara", "frances", "radia", "margaret", "katherine", "annie"];
  const users = names.map((name, at) => ({ id: BigInt(at + 1), email: `${name}@example.com` }));
  expect(commands({ users })[0]).toContain("ada2@example.com");
});

test("without grpcurl the project's own buf makes the gRPC call", () => {
  expect(commands()[3]).toMatch(/^grpcurl -plaintext localhost:8002 /);
  expect(commands({ grpc: "buf" })[3]).toMatch(/^node_modules\/\.bin\/buf curl /);
});

test("what asks for a token comes with one", () => {
  expect(commands()[2]).toContain(`-H "authorization: Bearer $(make token ARGS='--sub ada --scope products:write')"`);
});
