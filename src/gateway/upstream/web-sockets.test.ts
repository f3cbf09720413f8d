import { Code } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { until } from "../../test/suites/gateway-parts.ts";
import { GuardedRoomService, megabyte, roomPlaces } from "../../test/suites/room-parts.ts";
import { openHttp2 } from "../../testing/raw-client.ts";
import { refusalOf, SocketClient } from "../../testing/socket-client.ts";
import { standingStill } from "../../testing/standing-still.ts";
import { engines } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 60_000 }); // real servers, on a machine that may be busy

const places = Object.entries(engines).flatMap(([engineName, engine]) =>
  roomPlaces.map(([place, open]) => [`${place}, ${engineName}`, engine, open] as const),
);

const unreadable: readonly (readonly [message: string | Buffer, why: RegExp])[] = [
  ["{", /not valid JSON/],
  ["[]", /has to be a JSON object/],
  ['{"txet": "a"}', /txet/],
  ['{"room": "den", "text": "a"}', /in the path/],
  [Buffer.from("{}"), /binary/],
];

describe.each(places)("streams over WebSockets at %s", (place, engine, open) => {
  test("a call of every shape goes over one, by its own path and by its REST path", async () => {
    await using hall = await open(engine);
    const url = `ws://${hall.address}`;
    await using plain = await SocketClient.open(`${url}/room.v1.RoomService/Talk`);
    plain.say({ room: "hall", text: "a" });
    expect(await plain.hear()).toEqual({ room: "hall", text: "a!", count: 0 }); // before anything else is said
    plain.say({ room: "den", text: "b" });
    expect(await plain.hear()).toMatchObject({ room: "den", text: "b!" });
    plain.say("");
    expect(await plain.rest()).toMatchObject([{ text: "bye" }]);
    expect(await plain.closed).toEqual({ code: 1000, reason: "" });
    await using talk = await SocketClient.open(`${url}/v1/rooms/hall:talk`, ["heddle.json"]);
    expect(talk.ws.protocol).toBe("heddle.json");
    talk.say({ text: "c" });
    expect(await talk.hear()).toMatchObject({ room: "hall", text: "c!" });

    for (const path of ["/room.v1.RoomService/Gather", "/v1/rooms/den:gather"]) {
      await using gather = await SocketClient.open(url + path);
      gather.say({ room: "den", text: "a" });
      gather.say({ text: "b", room: "den" });
      gather.say("");
      expect([path, await gather.rest()]).toEqual([path, [{ room: "den", text: "ab", count: 2 }]]);
      expect(await gather.closed).toMatchObject({ code: 1000 });
    }

    await using byPath = await SocketClient.open(`${url}/v1/rooms/den:follow?text=hi&count=2`);
    expect(await byPath.rest()).toMatchObject([{ room: "den", text: "hi" }, { count: 1 }]);
    await using byMessage = await SocketClient.open(`${url}/room.v1.RoomService/Follow`);
    byMessage.say({ room: "den", text: "hi", count: 2 });
    expect(await byMessage.rest()).toMatchObject([{ room: "den", text: "hi" }, { count: 1 }]);
    expect(await byMessage.closed).toMatchObject({ code: 1000 });
  });

  test("a call that fails is told so in a last message, and by the code it closes with", async () => {
    await using hall = await open(engine);
    await using follow = await SocketClient.open(`ws://${hall.address}/v1/rooms/broken:follow?count=2`);
    const error = { code: 15, message: "the room is on fire", details: [] };
    expect(await follow.rest()).toMatchObject([{ room: "broken", count: 0 }, { error }]);
    expect(await follow.closed).toEqual({ code: 4015, reason: "the room is on fire" });

    await using talk = await SocketClient.open(`ws://${hall.address}/v1/rooms/hall:talk`);
    talk.say({ text: "fail" });
    expect(await talk.rest()).toMatchObject([{ error: { code: 7, message: "nobody says that" } }]);
    expect(await talk.closed).toMatchObject({ code: 4007 });
  });

  test("a message that is no request ends the call and says why", async () => {
    await using hall = await open(engine);
    for (const [message, why] of unreadable) {
      await using talk = await SocketClient.open(`ws://${hall.address}/v1/rooms/hall:talk`);
      talk.say({ text: "a" });
      await talk.hear();
      hall.rooms.left.length = 0;
      talk.ws.send(message);
      const [heard] = (await talk.rest()) as { error?: { code: number } }[];
      expect(heard?.error?.code).toBe(Code.InvalidArgument);
      expect(JSON.stringify(heard)).toMatch(why);
      expect(await talk.closed).toMatchObject({ code: 4003 });
      await until(
        () => hall.rooms.left.length,
        (count) => count === 1,
      );
    }
  });

  test("a message over 4 MiB ends the call, and the WebSocket with 1009", async () => {
    await using hall = await open(engine);
    await using talk = await SocketClient.open(`ws://${hall.address}/v1/rooms/hall:talk`);
    talk.say({ text: "a" });
    await talk.hear();
    talk.say({ text: "x".repeat(4 * 1024 * 1024) });
    expect(await talk.closed).toMatchObject({ code: 1009 });
    await until(
      () => hall.rooms.left.length,
      (count) => count === 1,
    );
  });

  test("a client that closes, or vanishes, cancels the call", async () => {
    await using hall = await open(engine);
    for (const leave of ["close", "terminate"] as const) {
      for (const path of ["/v1/rooms/endless:follow?count=2", "/v1/rooms/hall:talk"]) {
        await using client = await SocketClient.open(`ws://${hall.address}${path}`);
        client.say({ text: "a" });
        await client.hear();
        hall.rooms.left.length = 0;
        client.ws[leave]();
        await until(
          () => [leave, path, hall.rooms.left.length],
          ([, , left]) => left === 1,
        );
      }
    }
  });

  test("a client that does not read slows the service down, and misses nothing", async () => {
    await using hall = await open(engine);
    await using follow = await SocketClient.open(`ws://${hall.address}/room.v1.RoomService/Follow`);
    follow.ws.pause();
    follow.say({ room: "loud", count: 20 });
    await until(
      () => hall.rooms.sent,
      (count) => count > 0,
    );
    const sent = await standingStill(() => hall.rooms.sent);
    expect(sent).toBeLessThan(15);
    follow.ws.resume();
    expect(await follow.rest()).toHaveLength(20);
    expect(await follow.closed).toMatchObject({ code: 1000 });
  });

  test("a service that does not read slows the client down, and misses nothing", async () => {
    await using hall = await open(engine);
    const gate = Promise.withResolvers<void>();
    hall.rooms.gate = gate.promise;
    await using gather = await SocketClient.open(`ws://${hall.address}/room.v1.RoomService/Gather`);
    for (let i = 0; i < 20; i++) gather.say({ text: megabyte });
    gather.say("");
    expect(await standingStill(() => gather.ws.bufferedAmount)).toBeGreaterThan(5 * megabyte.length);
    gate.resolve();
    expect(await gather.hear()).toMatchObject({ count: 20 * megabyte.length });
  });

  test("a page hands over its token as a subprotocol, and is never told it back", async () => {
    const seen: (string | null)[] = [];
    const authenticate = async ({ requestHeader }: { requestHeader: Headers }) => {
      seen.push(requestHeader.get("authorization"));
      if (requestHeader.get("authorization") !== "Bearer a.b-c_d") return undefined;
      return { subject: "ann", scopes: new Set(["talk"]) };
    };
    await using hall = await open(engine, { service: GuardedRoomService, authenticate: authenticate as never });
    seen.length = 0;
    const url = `ws://${hall.address}/v1/rooms/hall:talk`;
    await using talk = await SocketClient.open(url, ["heddle.json", "bearer.a.b-c_d"]);
    expect(talk.headers["sec-websocket-protocol"]).toBe("heddle.json");
    talk.say({ text: "a" });
    expect(await talk.hear()).toMatchObject({ text: "a!" });
    await using stranger = await SocketClient.open(url);
    expect(await stranger.rest()).toMatchObject([{ error: { code: 16 } }]);
    expect(await stranger.closed).toMatchObject({ code: 4016 });
    expect(new Set(seen)).toEqual(new Set(["Bearer a.b-c_d", null])); // at the gateway, and again in the service
    expect(await refusalOf(url, ["bearer.a.b-c_d"])).toMatchObject({ status: 400 });
    expect((await refusalOf(url, ["soap"])).text).toContain("heddle.json");
  });

  test("paths where none can be opened say so over HTTP", async () => {
    await using hall = await open(engine);
    const at = async (path: string) => JSON.parse((await refusalOf(`ws://${hall.address}${path}`)).text);
    expect(await at("/v1/nothing")).toMatchObject({ code: 5 });
    expect(await at("/room.v1.RoomService/Nothing")).toMatchObject({ code: 5 });
    expect(await at("/v1/rooms/hall")).toMatchObject({ code: 3, message: /does not stream/ });
    expect(await at("/v1/rooms/hall:follow?cuont=2")).toMatchObject({ code: 3, details: [{ fieldViolations: [{}] }] });
  });

  test("a method that needs one says 426 to those who ask without", async () => {
    await using hall = await open(engine);
    const answer = await fetch(`http://${hall.address}/v1/rooms/hall:talk`);
    expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
    await using http2 = await openHttp2(`http://${hall.address}`);
    expect(await http2.get("/v1/rooms/hall:talk")).toMatchObject({ status: 426, text: /open a WebSocket here/ });
  });

  test("pages of the server's own host may open them, those of others only if named", async () => {
    const corsOrigins = ["https://shop.example"];
    await using hall = await open(engine, { corsOrigins });
    const url = `ws://${hall.address}/v1/rooms/hall:talk`;
    await using _own = await SocketClient.open(url, [], { origin: `http://${hall.address}` });
    expect(await refusalOf(url, [], { origin: "https://evil.example" })).toMatchObject({ status: 403 });
    expect((await refusalOf(url, [], { origin: "null" })).text).toContain("CORS_ORIGINS");
    const named = SocketClient.open(url, [], { origin: "https://shop.example" });
    if (place.startsWith("the service")) return await expect(named).rejects.toThrow("403");
    await (await named)[Symbol.asyncDispose]();
  });

  test("those that are open end when the server drains, and say to ask another", async () => {
    await using hall = await open(engine);
    await using talk = await SocketClient.open(`ws://${hall.address}/v1/rooms/hall:talk`);
    talk.say({ text: "a" });
    await talk.hear();
    const drained = hall.drain();
    expect(await talk.rest()).toMatchObject([{ error: { code: 14, message: /draining/ } }]);
    expect(await talk.closed).toMatchObject({ code: 1001 });
    await drained;
  });
});
