import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { GetUserRequestSchema, UpdateUserRequestSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { deprecation } from "../../server/steps/deprecation.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { restUpstream } from "./rest-upstream.ts";

const passOn = () => Promise.reject(new Error("nobody is called here"));

test.each([
  [undefined, 1_000],
  [300, 300],
  [5_000, 1_000],
])(
  "a call that is asked for within %s ms has the sooner of that and of its contract's second",
  async (askedMs, passed) => {
    let told: string | null = null;
    const upstream = createRouterTransport(({ service }) => {
      service(UserService, {
        getUser({ id }, { requestHeader }) {
          told = requestHeader.get("connect-timeout-ms");
          return { user: { id } };
        },
      });
    });
    const rest = restUpstream({ upstream, passOn, steps: [], timeoutOf: () => 1_000, clock: fakeClock() });
    await rest.unary(
      UserService.method.getUser,
      undefined,
      askedMs,
      undefined,
      create(GetUserRequestSchema, { id: 1n }),
    );
    expect(told).toBe(String(passed));
  },
);

test("what a step says in the head of the answer is there, also where the service says nothing of it or fails", async () => {
  const upstream = createRouterTransport(({ service }) => {
    service(UserService, {
      updateUser({ user }) {
        if (user?.id === 2n) throw new ConnectError("no", Code.NotFound);
        return {};
      },
    });
  });
  const rest = restUpstream({ upstream, passOn, steps: [deprecation()], timeoutOf: () => 1_000, clock: fakeClock() });
  const update = (id: bigint) => {
    const request = create(UpdateUserRequestSchema, { user: { id } });
    return rest.unary(UserService.method.updateUser, undefined, undefined, undefined, request);
  };
  expect((await update(1n)).header.get("deprecation")).toMatch(/^@\d+$/);
  const failed = await update(2n).catch(ConnectError.from);
  expect(failed instanceof ConnectError && failed.metadata.get("sunset")).toMatch(/ GMT$/);
});
