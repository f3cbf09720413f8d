import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, describe, expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import { transportsTo } from "../suites/gateway-parts.ts";
import { openGatewayShop } from "./gateway-shop.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const shop = await openGatewayShop();
afterAll(() => shop[Symbol.asyncDispose]());

const ports = [
  ["the gateway", shop.port],
  ["the service", shop.parts.user.port],
] as const;
const ways = ports.flatMap(([where, port]) =>
  transportsTo(port).map(([how, transport]) => ({ where, how, transport })),
);

let count = 0;
const anEmail = () => `grace-${++count}@example.com`;

async function ask(method: string, url: string, body?: unknown) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body), headers }) });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown>, header: answer.headers };
}

const told = {
  deprecation: `@${Date.UTC(2026, 11, 1) / 1_000}`,
  sunset: "Wed, 01 Dec 2027 00:00:00 GMT",
  link: '</v2/users>; rel="successor-version"',
};
const toldBy = (header: Headers) => ({
  deprecation: header.get("deprecation"),
  sunset: header.get("sunset"),
  link: header.get("link"),
});
const nothing = { deprecation: null, sunset: null, link: null };

describe.each(ports)("at %s", (_, port) => {
  const url = `http://127.0.0.1:${port}`;

  test("one user has two versions of a contract: what one changes, the other shows", async () => {
    const email = anEmail();
    const v1 = await ask("POST", `${url}/v1/users`, { name: "Grace", email });
    expect(v1).toMatchObject({ status: 201, json: { name: "Grace", version: 1 } });
    const { id } = v1.json;
    const v2 = await ask("PATCH", `${url}/v2/users/${id}`, { displayName: "Grace H.", etag: "1" });
    expect(v2).toMatchObject({ status: 200, json: { id, displayName: "Grace H.", email, etag: "2" } });
    expect(v2.json.createTime).toBe(v1.json.createdAt);
    expect(await ask("GET", `${url}/v1/users/${id}`)).toMatchObject({ json: { name: "Grace H.", version: 2 } });
    expect(await ask("GET", `${url}/api/users/${id}`)).toMatchObject({ json: { name: "Grace H.", created_at: /Z$/ } });
    expect((await ask("GET", `${url}/v2/users?email=${email}`)).json.users).toHaveLength(1);
    expect(await ask("PATCH", `${url}/v2/users/${id}`, { etag: "1", displayName: "" })).toMatchObject({ status: 400 });
    expect(await ask("PATCH", `${url}/v2/users/${id}`, {})).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining("update_mask") },
    });
  });

  test("v2 has paths of its own alone, and creates where it is found", async () => {
    const created = await ask("POST", `${url}/v2/users`, { displayName: "Grace", email: anEmail() });
    expect([created.status, created.header.get("location")]).toEqual([201, `/v2/users/${created.json.id}`]);
    const put = await ask("PUT", `${url}/v2/users/${created.json.id}`, { displayName: "G" });
    expect([put.status, put.header.get("allow")]).toEqual([405, "DELETE, GET, HEAD, PATCH"]);
  });

  test("over REST a deprecated method says so once, in either spelling, when it fails too; its neighbours do not", async () => {
    const { json } = await ask("POST", `${url}/v1/users`, { name: "Grace", email: anEmail() });
    for (const path of [`/v1/users/${json.id}`, `/api/users/${json.id}`]) {
      const changed = await ask("PATCH", url + path, { name: "G" });
      expect([changed.status, toldBy(changed.header)]).toEqual([200, told]);
    }
    const missing = await ask("PATCH", `${url}/v1/users/999999`, { name: "G" });
    expect([missing.status, toldBy(missing.header)]).toEqual([404, told]);
    const wrong = await ask("PATCH", `${url}/v1/users/${json.id}`, { email: "nobody" });
    expect([wrong.status, toldBy(wrong.header)]).toEqual([400, told]);
    for (const path of [`/v1/users/${json.id}`, `/v2/users/${json.id}`]) {
      expect(toldBy((await ask("GET", url + path)).header)).toEqual(nothing);
    }
    const v2 = await ask("PATCH", `${url}/v2/users/${json.id}`, { displayName: "G" });
    expect([v2.status, toldBy(v2.header)]).toEqual([200, nothing]);
  });
});

test.each(ways)(
  "$how at $where: v1 and v2 side by side; who calls what is deprecated is told in the head",
  async (way) => {
    const [v1, v2] = [createClient(UserService, way.transport), createClient(UserServiceV2, way.transport)];
    const { user: { id } = expect.fail() } = await v1.createUser({ name: "Grace", email: anEmail() });
    const heard: Headers[] = [];
    const onHeader = (header: Headers) => heard.push(header);
    await v1.updateUser({ user: { id, name: "G" } }, { onHeader });
    expect(heard.map(toldBy)).toEqual([told]);
    expect((await v2.getUser({ id }, { onHeader })).user).toMatchObject({ displayName: "G", etag: "2" });
    expect(heard.map(toldBy)).toEqual([told, nothing]);
    const failed = await v1.updateUser({ user: { id: 999_999n, name: "G" } }).catch(ConnectError.from);
    expect(failed).toMatchObject({ code: Code.NotFound });
    expect(failed instanceof ConnectError && toldBy(failed.metadata)).toEqual(told);
  },
);

test("pages of other origins may read what is told of a deprecated method", async () => {
  const answer = await fetch(`${shop.url}/v1/users`, { headers: { origin: "https://example.org" } });
  const exposed = answer.headers.get("access-control-expose-headers")?.split(", ") ?? [];
  expect(exposed).toEqual(expect.arrayContaining(["Deprecation", "Sunset", "Link"]));
});
