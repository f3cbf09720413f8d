import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type WatchResponse, WatchResponseSchema } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { EndpointView, endpointOf } from "./endpoint-view.ts";

type Event = MessageInitShape<typeof WatchResponseSchema>["event"];

function step(version: number, event: NonNullable<Event>): WatchResponse {
  return create(WatchResponseSchema, { version: BigInt(version), event });
}

const at = (id: string, port = 1) => ({ id, name: "user", host: "127.0.0.1", port });
const snapshot = (version: number, ...ids: string[]) =>
  step(version, { case: "snapshot", value: { instances: ids.map((id) => at(id)) } });
const heartbeat = (version: number) => step(version, { case: "heartbeat", value: {} });

const ids = (view: EndpointView) => view.endpoints().map(({ id }) => id);

test("a snapshot replaces everything, deltas change it, and endpoints are in one order for everyone", () => {
  const view = new EndpointView();
  expect(view.apply(snapshot(1, "c", "a"))).toBe(true);
  expect(ids(view)).toEqual(["a", "c"]);
  const value = { previousVersion: 1n, changed: [at("b"), at("c", 9)], removedIds: ["a", "never there"] };
  expect(view.apply(step(4, { case: "delta", value }))).toBe(true);
  expect(view.endpoints().map(({ address }) => address)).toEqual(["127.0.0.1:1", "127.0.0.1:9"]);
  expect(view.apply(snapshot(9, "z"))).toBe(true);
  expect(ids(view)).toEqual(["z"]);
});

test("a delta that does not build on the last step is a gap, and changes nothing", () => {
  const view = new EndpointView();
  view.apply(snapshot(1, "a"));
  expect(view.apply(step(4, { case: "delta", value: { previousVersion: 3n, removedIds: ["a"] } }))).toBe(false);
  expect(ids(view)).toEqual(["a"]);
  expect(new EndpointView().apply(step(1, { case: "delta", value: { previousVersion: 0n } }))).toBe(false);
});

test("a heartbeat of the version we have is a sign of life; of another one, a gap", () => {
  const view = new EndpointView();
  view.apply(snapshot(2, "a"));
  expect(view.apply(heartbeat(2))).toBe(true);
  expect(view.apply(heartbeat(3))).toBe(false);
});

test.each([
  ["127.0.0.1", "127.0.0.1:80"],
  ["user.local", "user.local:80"],
  ["::1", "[::1]:80"],
])("the host %s is reached at %s", (host, address) => {
  const instance = create(InstanceSchema, { id: "a", name: "user", host, port: 80, zone: "eu", version: "1" });
  expect(endpointOf(instance)).toEqual({ id: "a", name: "user", address, zone: "eu", weight: 100, version: "1" });
});
