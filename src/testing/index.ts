/** `heddle/testing`: real servers and meshes for tests, and time and dice that obey them. */
export { type Random, seededRandom } from "../base/random.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { openTestMesh, type TestMesh, type TestMeshOptions } from "./open-mesh.ts";
export { openTestServer, type TestServer, type TestServerOptions } from "./open-server.ts";
