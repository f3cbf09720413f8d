import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { GetUserRequestSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Calls } from "./calls.ts";

test("a call ends when it is not wanted any more, whatever its transport does about that; no further one begins", async () => {
  let begun = 0;
  const deaf = { unary: () => new Promise(() => begun++) } as unknown as Transport;
  const leaving = new AbortController();
  const options = { transport: deaf, header: new Headers(), values: undefined, deadlineAt: 0, clock: fakeClock() };
  const calls = new Calls({ ...options, signal: leaving.signal });
  const ask = (id: bigint) => calls.ask(UserService.method.getUser, create(GetUserRequestSchema, { id }));
  const asked = ask(1n);
  leaving.abort(new Error("the caller left"));
  await expect(asked).rejects.toThrow("the caller left");
  await expect(ask(2n)).rejects.toThrow("the caller left");
  expect(begun).toBe(1);
});
