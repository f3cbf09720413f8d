import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { FrameType } from "../http2/frame.ts";
import { type Attacker, grpcHead, openAttacker, prefixed } from "../testing/attacker.ts";
import { frame } from "../testing/http2-frames.ts";
import { openVictim, withstands } from "../testing/victim.ts";

const path = "/shop.user.v1.UserService/GetUser";
const begin = prefixed(Buffer.from([8, 7]), { length: 10_000 });

/** What a unary call of 300 ms is answered with whose body does not end, within two seconds. */
async function statusOf(send: (attacker: Attacker, i: number) => Promise<void>): Promise<number> {
  await using server = await openVictim();
  await using attacker = await openAttacker(server.port);
  await withstands(server, async () => {
    await attacker.send(grpcHead(1, path, "grpc-timeout", "300m"));
    for (let i = 0; attacker.answer(1).ended === undefined && i < 100; i++) {
      await send(attacker, i);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  return Number(attacker.answer(1).fields.get("grpc-status"));
}

test("a body that dribbles in, whole frames at a time, ends at the deadline of its call", async () => {
  const dribble = (attacker: Attacker, i: number) => attacker.send(frame(FrameType.data, 0, 1, i === 0 ? begin : [0]));
  expect(await statusOf(dribble)).toBe(Code.DeadlineExceeded);
});

test("a body that never comes ends at the deadline of its call", async () => {
  expect(await statusOf((attacker) => attacker.send())).toBe(Code.DeadlineExceeded);
});
