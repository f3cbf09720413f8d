import type { DescService } from "@bufbuild/protobuf";
import { openServer, type Server, type ServerOptions, type ServiceEntries } from "../server/serve.ts";

/** A server on a free port of this machine. */
export interface TestServer extends Server {
  /** "host:port", as clients are given it. */
  readonly address: string;
}

/** How it serves, beside what. */
export type TestServerOptions = Omit<ServerOptions, "services">;

/**
 * Serves the services as they are served in earnest, steps and all, on a free port; registered nowhere. Calls that
 * still run when it is closed are cut off.
 *
 *     await using server = await openTestServer([[UserService, { getUser: ({ id }) => ({ user: { id } }) }]]);
 */
export async function openTestServer<const T extends readonly DescService[]>(
  services: ServiceEntries<T>,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const server = await openServer({ ...options, services });
  return Object.assign(server, { address: `${server.host}:${server.port}` });
}
