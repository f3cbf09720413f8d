import { expect, test } from "vitest";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { testInstance } from "../../test/suites/discovery-parts.ts";
import type { Fleet } from "../routes/fleet.ts";
import type { Routes } from "../routes/route-table.ts";
import { healthPage } from "./health-page.ts";

const contract = { service: UserService, owner: "user", digest: "" };
const nothing: Routes = {
  contracts: new Map(),
  refused: new Map(),
  aggregates: [],
  answer: async () => undefined,
  rpcs: new Map(),
};
const routed: Routes = { ...nothing, contracts: new Map([[UserService.typeName, contract]]) };

function page(fleet: Fleet, routes = nothing, { serving = true, provesCallers = true } = {}) {
  return healthPage({ serving, provesCallers, version: "1", fleet, routes });
}

const live = (...instances: Fleet["instances"]): Fleet => ({ kind: "live", instances });

test("a service is as well as its best instance", () => {
  const of = (...statuses: Status[]) =>
    page(live(...statuses.map((status, id) => testInstance({ id: `user-${id}`, status })))).services;
  expect(of(Status.UNAVAILABLE, Status.HEALTHY)).toMatchObject({ user: { status: "healthy" } });
  expect(of(Status.UNAVAILABLE, Status.UNHEALTHY)).toMatchObject({ user: { status: "unhealthy" } });
  expect(of(Status.UNSPECIFIED)).toMatchObject({ user: { status: "unknown" } });
  expect(of(Status.UNAVAILABLE)).toMatchObject({ user: { status: "unavailable" } });
});

test("an instance is told with its address, why it is as it is, and when that was seen", () => {
  const status = { status: Status.UNHEALTHY, statusReason: "too slow", lastCheckTime: { seconds: 1_767_225_600n } };
  const { services } = page(live(testInstance({ ...status, host: "::1", zone: "z1", version: "3" })));
  expect(services).toEqual({
    user: {
      status: "unhealthy",
      routes: [],
      instances: [
        {
          id: "user-1",
          address: "[::1]:8001",
          status: "unhealthy",
          reason: "too slow",
          version: "3",
          zone: "z1",
          last_check: "2026-01-01T00:00:00.000Z",
        },
      ],
    },
  });
  expect(page(live(testInstance())).services).toMatchObject({ user: { instances: [{ last_check: null }] } });
});

test("a service that is routed and has nobody left is unavailable", () => {
  expect(page(live(), routed).services).toEqual({
    user: { status: "unavailable", routes: [UserService.typeName], instances: [] },
  });
});

test("discovery being away, a refused contract, and a gateway that drains are told", () => {
  const away: Fleet = { kind: "last-known", instances: [], problem: "connection refused" };
  expect(page(away).discovery).toEqual({
    status: "unavailable",
    problem: "connection refused; what follows is what it said last",
  });
  const refused = new Map([["a.v1.A", { problem: "nonsense" }]]);
  expect(page(live(), { ...nothing, refused }).refused).toEqual([{ service: "a.v1.A", problem: "nonsense" }]);
  expect(page(live(), nothing, { serving: false })).toMatchObject({ status: "unhealthy", service: "gateway" });
});
