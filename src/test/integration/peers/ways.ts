import { createSecureServer, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { openMesh } from "../../../mesh/mesh.ts";
import { staticResolver } from "../../../mesh/resolve/static.ts";
import { grpcTransport } from "../../../wire/grpc.ts";
import { EchoService } from "./contract.ts";
import { echo } from "./echo.ts";
import { openGrpcJs } from "./grpc-js.ts";
import { type Certificate, openOurs, type Place, places } from "./places.ts";
import { openProgram, programs } from "./run.ts";

type Opened = AsyncDisposable & { readonly transport: Transport };
type OpenServer = (tls: Certificate | undefined) => Promise<AsyncDisposable & { readonly address: string }>;

/** From a client to a server, one of the two ours. */
export type Way = () => Promise<Opened>;

/** Pieces do not get smaller by compression, which takes its time: elsewhere it is tried, not here. */
const acceptCompression: [] = [];
const identity: Interceptor = (next) => (req) => {
  req.header.set("grpc-accept-encoding", "identity");
  return next(req);
};

/** Who calls us, by name. */
const clients = {
  "connect-node's gRPC client": (baseUrl: string, nodeOptions: object) =>
    createGrpcTransport({ baseUrl, nodeOptions, acceptCompression }),
  "connect-node's gRPC-Web client": (baseUrl: string, nodeOptions: object) =>
    createGrpcWebTransport({ baseUrl, nodeOptions, acceptCompression, httpVersion: "2" }),
  "connect-node's Connect client": (baseUrl: string, nodeOptions: object) =>
    createConnectTransport({ baseUrl, nodeOptions, acceptCompression, httpVersion: "2" }),
};

/** Whom we call, by name. */
const servers: Readonly<Record<string, (place: Place) => OpenServer>> = {
  "our own": (place) => () => openOurs(place),
  "a connect-node": () => openConnectNode,
  "a grpc-js": () => openGrpcJs,
  "a C core": () => (tls) => openProgram(programs["the C core"], tls),
  "a grpc-go": () => (tls) => openProgram(programs["grpc-go"], tls),
};

/** All ways there are, by name. A mesh has no TLS, so that it goes in the clear alone. */
export const ways: readonly (readonly [name: string, open: Way])[] = places.flatMap(([name, place]) => [
  ...Object.entries(clients).map(([who, make]) => [`${who} to our server (${name})`, toOurs(place, make)] as const),
  ...Object.entries(servers).map(
    ([whose, open]) => [`our session (${name}) to ${whose} server`, fromSession(place, open(place))] as const,
  ),
  ...(place.tls
    ? []
    : ["our own", "a grpc-go"].map(
        (whose) =>
          [`our mesh (${name}) to ${whose} server`, fromMesh(place, servers[whose]?.(place) as OpenServer)] as const,
      )),
]);

function toOurs(place: Place, make: (baseUrl: string, nodeOptions: object) => Transport): Way {
  return async () => {
    const server = await openOurs(place);
    const transport = make(server.baseUrl, place.tls ? { ca: place.tls.cert } : {});
    return { transport, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  };
}

function fromSession({ engine, tls }: Place, open: OpenServer): Way {
  return async () => {
    const server = await open(tls);
    const session = engine.connect(server.address, tls ? { tls: { ca: tls.cert, serverName: "localhost" } } : {});
    return {
      transport: grpcTransport(session, { interceptors: [identity] }),
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  };
}

function fromMesh({ engine }: Place, open: OpenServer): Way {
  return async () => {
    const server = await open(undefined);
    const resolver = staticResolver({ [EchoService.typeName]: [server.address] });
    const mesh = await openMesh({ engine, resolver, interceptors: [identity] });
    return {
      transport: mesh.transport,
      async [Symbol.asyncDispose]() {
        await mesh[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  };
}

async function openConnectNode(tls: Certificate | undefined) {
  const handler = connectNodeAdapter({ routes: (router) => void router.service(EchoService, echo) });
  const server = tls ? createSecureServer({ ...tls }, handler) : createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, [Symbol.asyncDispose]: async () => void server.close() };
}
