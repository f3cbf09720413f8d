import { create, type DescMethodUnary, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CreateUserRequestSchema, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { rawMessage } from "../call/raw-message.ts";
import { contract, requestIdContract } from "../testing/contract.ts";
import { openFleet, type Peer, routed, serving } from "../testing/fake-fleet.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ada = { name: "Ada", email: "ada@example.com" };

/** Two peers that create users; of the first `failures` attempts nobody hears what they came to. */
async function openCreating(failures: number) {
  const ids: string[] = [];
  const createUser = ({ requestId }: { requestId: string }) => {
    ids.push(requestId);
    if (ids.length <= failures) throw new ConnectError("away", Code.Unavailable);
    return { user: { name: "Ada" } };
  };
  const peer = serving({ createUser });
  return { ...(await openFleet({ "a:1": peer, "b:1": peer })), ids };
}

/** Lets the call run to its end. */
async function atLeisure<T>({ clock }: { clock: { advance(ms: number): Promise<void> } }, call: Promise<T>) {
  let over = false;
  const done = call.finally(() => {
    over = true;
  });
  while (!over) await clock.advance(10);
  return done;
}

test("a mutating call that names itself is repeated, each attempt with the same id", async () => {
  await using fleet = await openCreating(2);
  await atLeisure(fleet, fleet.users.createUser(ada));
  expect(fleet.ids).toHaveLength(3);
  expect(new Set(fleet.ids).size).toBe(1);
  expect(fleet.ids[0]).toMatch(uuid);
});

test("each call has an id of its own, also where the same message is sent twice", async () => {
  await using fleet = await openCreating(0);
  const message = create(CreateUserRequestSchema, ada);
  await fleet.users.createUser(message);
  await fleet.users.createUser(message);
  expect(new Set(fleet.ids).size).toBe(2);
  expect(message.requestId).toBe("");
});

test("an id that the caller has given is the one that all attempts carry", async () => {
  await using fleet = await openCreating(1);
  await atLeisure(fleet, fleet.users.createUser({ ...ada, requestId: "own" }));
  expect(fleet.ids).toEqual(["own", "own"]);
});

test("a call that is passed on as bytes is named and repeated as well", async () => {
  await using fleet = await openCreating(1);
  const message = rawMessage(toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, ada)));
  const method = UserService.method.createUser;
  await atLeisure(fleet, fleet.mesh.call({ method, message, isRaw: true }));
  expect(fleet.ids).toHaveLength(2);
  expect(fleet.ids[0]).toMatch(uuid);
  expect(fleet.ids[1]).toBe(fleet.ids[0]);
});

test("a hedge carries the id of the attempt that it races", async () => {
  const policy = { hedge: { after: { case: "afterDelay", value: { nanos: 50_000_000 } } } } as const;
  const service = requestIdContract([{ name: "token" }], { policy });
  const [method = expect.fail()] = service.methods;
  const tokens: unknown[] = [];
  const peer: Peer = routed((router) =>
    router.rpc(method as DescMethodUnary, (request) => {
      tokens.push((request as unknown as { token: string }).token);
      return tokens.length === 1 ? new Promise<never>(() => {}) : {};
    }),
  );
  await using fleet = await openFleet({ "a:1": peer, "b:1": peer });
  const { do: ask = expect.fail() } = fleet.mesh.client(service) as Record<
    string,
    (request: object) => Promise<object>
  >;
  await atLeisure(fleet, ask({ text: "x" }));
  expect(tokens).toHaveLength(2);
  expect(tokens[0]).toMatch(uuid);
  expect(tokens[1]).toBe(tokens[0]);
});

test("a request whose contract marks no field reaches the server byte for byte", async () => {
  const service = contract([{ name: "Do" }]);
  const [method = expect.fail()] = service.methods;
  const seen: object[] = [];
  const peer: Peer = routed((router) =>
    router.rpc(method as DescMethodUnary, (request) => {
      seen.push(request);
      return {};
    }),
  );
  await using fleet = await openFleet({ "a:1": peer });
  const message = rawMessage(Uint8Array.of(0x0a, 1, 0x41));
  await fleet.mesh.call({ method, message, isRaw: true });
  expect(seen[0]).toEqual(fromBinary(method.input, Uint8Array.of(0x0a, 1, 0x41)));
});
