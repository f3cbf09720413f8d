import type { DescService } from "@bufbuild/protobuf";
import { type Mesh, type MeshOptions, openMesh } from "../mesh/mesh.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import type { ServiceEntries } from "../server/serve.ts";
import { openTestServer, type TestServer, type TestServerOptions } from "./open-server.ts";

/** How a mesh for a test is made. */
export interface TestMeshOptions extends Omit<MeshOptions, "discovery" | "resolver" | "cacheDir"> {
  /** Servers that each serve all the services. Default 1. */
  readonly replicas?: number;
  readonly server?: TestServerOptions;
}

/** A mesh with the servers behind it. Closing it closes these too. */
export interface TestMesh extends Mesh {
  readonly servers: readonly TestServer[];
}

/**
 * Clients and servers of the services in this process: the steps of both ends, over loopback sockets, without discovery.
 *
 *     await using mesh = await openTestMesh([[UserService, implementation]], { replicas: 2 });
 *     await mesh.servers[0]?.drain(); // the other one answers
 *     await mesh.client(UserService).getUser({ id: 42n });
 */
export async function openTestMesh<const T extends readonly DescService[]>(
  services: ServiceEntries<T>,
  { replicas = 1, server = {}, ...options }: TestMeshOptions = {},
): Promise<TestMesh> {
  const servers = await Promise.all(Array.from({ length: replicas }, () => openTestServer(services, server)));
  const addresses = servers.map(({ address }) => address);
  const resolver = staticResolver(Object.fromEntries(services.map(([{ typeName }]) => [typeName, addresses])));
  const mesh = await openMesh({ ...options, resolver });
  return {
    ...mesh,
    servers,
    async [Symbol.asyncDispose]() {
      await mesh[Symbol.asyncDispose]();
      await Promise.all(servers.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
