import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { errorReason } from "../../call/errors.ts";
import { credentialsMissing, scopeMissing } from "../../security/refusals.ts";
import type { Store } from "../../store/orm.ts";
import { expectError } from "../../test/suites/errors.ts";
import { openReplicas } from "../../test/suites/open-service.ts";
import { catalogService } from "../catalog/catalog-service.ts";
import { catalogRows } from "../catalog/product-entity.ts";
import { checkUser, findProducts } from "./dependencies.ts";

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

test("what the catalog refuses of a SKU, the caller is told of its own field", async () => {
  const implement = (store: Store) => catalogService({ store });
  await using shop = await openReplicas("sqlite", { service: CatalogService, rows: catalogRows, implement }, 1);
  const [catalog = expect.fail()] = shop.clients;
  const refused = { code: Code.InvalidArgument, fields: ["items.sku"], message: /U\+0000/ };
  await expectError(findProducts(catalog, ["A\0B"]), refused);
});
