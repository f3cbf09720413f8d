import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GetUserRequestSchema } from "../../gen/shop/user/v1/user_pb.ts";
import { keyedContract } from "../testing/contract.ts";
import { routingKey } from "./routing-key.ts";

const [keyed] = keyedContract({ isKey: true, routingHeader: "X-Tenant" }).methods;
const [byHeader] = keyedContract({ isKey: false, routingHeader: "X-Tenant" }).methods;
const [bare] = keyedContract({ isKey: false }).methods;
if (keyed === undefined || byHeader === undefined || bare === undefined) throw new Error("no method");

const text = (method: typeof keyed, value: string) => create(method.input, { text: value } as Record<string, unknown>);

test("the marked field is the key, and where it is empty the named header", () => {
  expect(routingKey(keyed, text(keyed, "ada"), ["x-tenant", "acme"])).toBe("ada");
  expect(routingKey(keyed, text(keyed, ""), ["x-tenant", "acme"])).toBe("acme");
  expect(routingKey(byHeader, text(byHeader, "ada"), ["x-tenant", "acme"])).toBe("acme");
});

test("a request with neither has no key", () => {
  expect(routingKey(byHeader, text(byHeader, "ada"), [])).toBeUndefined();
  expect(routingKey(bare, create(GetUserRequestSchema), ["x-tenant", "acme"])).toBeUndefined();
});
