import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { errorReason } from "../../call/errors.ts";
import { credentialsMissing, scopeMissing } from "../../security/refusals.ts";
import { checkUser } from "./dependencies.ts";

test.each([
  ["who shows nothing", credentialsMissing(["users:read"]), Code.Unauthenticated, "CREDENTIALS_MISSING"],
  ["who may not", scopeMissing("ada", ["users:read"]), Code.PermissionDenied, "SCOPE_MISSING"],
])(
  "a caller %s is told so if another service refuses it, with what that asks for",
  async (_, refusal, code, reason) => {
    const transport = createRouterTransport((router) =>
      router.service(UserService, {
        getUser() {
          throw refusal;
        },
      }),
    );
    const error = await checkUser(createClient(UserService, transport), 1n).catch(ConnectError.from);
    expect(error).toMatchObject({ code, rawMessage: expect.stringContaining("the user service refuses the caller: ") });
    expect(errorReason(error as ConnectError)?.reason).toBe(reason);
    expect((error as ConnectError).metadata.get("www-authenticate")).toContain('scope="users:read"');
  },
);
