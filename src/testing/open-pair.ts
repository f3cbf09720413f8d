import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { openServer, type Server, type ServerOptions, type ServiceEntries } from "../server/serve.ts";
import type { Session } from "../wire/engine.ts";
import { defaultEngine } from "../wire/engines.ts";
import { grpcTransport } from "../wire/grpc.ts";

/** A server and one plain gRPC session to it: no mesh between them. */
export interface Pair extends AsyncDisposable {
  readonly server: Server;
  readonly origin: string;
  readonly session: Session;
  readonly users: Client<typeof UserService>;
  client<S extends DescService>(service: S, interceptors?: readonly Interceptor[]): Client<S>;
}

/** Opens a server on a port of its own, and a session to it. */
export async function openPair<const T extends readonly DescService[]>(
  options: Omit<ServerOptions, "services"> & { readonly services: ServiceEntries<T> },
): Promise<Pair> {
  const server = await openServer(options);
  const address = `127.0.0.1:${server.port}`;
  const session = defaultEngine.connect(address);
  const client: Pair["client"] = (service, interceptors = []) =>
    createClient(service, grpcTransport(session, { interceptors }));
  return {
    server,
    origin: `http://${address}`,
    session,
    users: client(UserService),
    client,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
