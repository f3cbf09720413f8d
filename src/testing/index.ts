/** `heddle/testing`: real servers and meshes for tests, simulated worlds, and time and dice that obey them. */
export { type Random, seededRandom } from "../base/random.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { openTestMesh, type TestMesh, type TestMeshOptions } from "./open-mesh.ts";
export { openTestServer, type TestServer, type TestServerOptions } from "./open-server.ts";
export type { Caller } from "./sim/caller.ts";
export type { Dice } from "./sim/dice.ts";
export type { Fault } from "./sim/fault.ts";
export { fixed, type Latency, longTailed, uniform } from "./sim/latency.ts";
export type { Machine } from "./sim/machine.ts";
export type { RegistryMachine } from "./sim/registry.ts";
export type { Replica, Services, Serving } from "./sim/replica.ts";
export { runWorld, type Scenario, type Simulated, type SimulateOptions, simulate } from "./sim/simulate.ts";
export type { TroubleOptions } from "./sim/trouble.ts";
export type { Served, ServeOptions as SimulatedServiceOptions, World, WorldOptions } from "./sim/world.ts";
