import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { jsonLogger } from "../base/log.ts";
import { openServer } from "../server/serve.ts";
import { bugLog } from "./bug-log.ts";

test("what a handler throws by mistake is logged; what it answers on purpose is not, and the caller learns neither", async () => {
  const lines: string[] = [];
  const users = {
    getUser: () => Promise.reject(new TypeError("undefined is no user")),
    deleteUser: () => Promise.reject(new ConnectError("gone", Code.NotFound)),
  };
  const hooks = bugLog(jsonLogger({ write: (line) => lines.push(line) }));
  await using server = await openServer({ services: [[UserService, users]], hooks });
  const url = `http://${server.host}:${server.port}/v1/users/1`;
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-request-id": "req-1" };
  const failed = await fetch(url, { headers });
  expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining("undefined is no user")]);
  expect((await fetch(url, { method: "DELETE" })).status).toBe(404);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "error",
    method: "shop.user.v1.UserService/GetUser",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    request_id: "req-1",
    error: { message: "undefined is no user" },
  });
});
