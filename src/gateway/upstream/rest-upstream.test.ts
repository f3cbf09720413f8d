import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { GetUserRequestSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { restUpstream } from "./rest-upstream.ts";

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
    const rest = restUpstream({ upstream, steps: [], timeoutOf: () => 1_000, clock: fakeClock() });
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
