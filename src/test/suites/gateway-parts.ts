import { create, createFileRegistry, type DescService, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type UserSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../../app/run.ts";
import type { RunningServer } from "../../app/running.ts";
import { silentLogger } from "../../base/log.ts";
import { notFound } from "../../call/errors.ts";
import { type Gateway, openGateway } from "../../gateway/gateway.ts";
import type { GatewayOptions } from "../../gateway/options.ts";
import { openServer, type Server, type ServerOptions } from "../../server/serve.ts";
import { discoveryRows } from "../../services/discovery/instance-entity.ts";
import { keptInRows } from "../../services/discovery/kept.ts";
import { type Discovery, openDiscovery } from "../../services/discovery/open-discovery.ts";
import { ownRegistration } from "../../services/discovery/own-registration.ts";
import { openStore } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { healthy } from "./discovery-parts.ts";

/** How a server joins, beside its version, 1 by default. */
export type Joining = Pick<ServerOptions, "engine" | "authenticate" | "version">;

/** Discovery on a port of its own, in which every instance is well. */
export interface Town extends AsyncDisposable {
  readonly address: string;
  readonly registry: Discovery["registry"];
  readonly registrar: Discovery["registrar"];
  /** Serves and registers services, of a version or however else; they leave when disposed of. */
  join(name: string, services: ServerOptions["services"], how?: string | Joining): Promise<RunningServer>;
  /** Opens a gateway that follows this discovery. */
  gateway(options?: GatewayOptions): Promise<Gateway>;
}

const quiet = { log: silentLogger, signals: false } as const;

/** Opens discovery, empty but for itself, at a port of its own or the one given. */
export async function openTown(port = 0): Promise<Town> {
  await using own = new AsyncDisposableStack();
  const database = own.use(await openDatabase());
  const store = own.use(await openStore({ ...discoveryRows, ...database }));
  const discovery = own.use(await openDiscovery({ kept: keptInRows(store), probe: async () => healthy }));
  const services = [[DiscoveryService, discovery.discovery]] as const;
  const server: Server = await openServer({ services, port });
  own.defer(async () => {
    discovery.endStreams();
    await server[Symbol.asyncDispose]();
  });
  const address = `${server.host}:${server.port}`;
  const about = { host: server.host, port: server.port, adminPort: undefined, advertise: "", zone: "" };
  await discovery.registrar.register(ownRegistration({ ...about, version: "1", services: [DiscoveryService] }));
  const all = own.move();
  return {
    address,
    registry: discovery.registry,
    registrar: discovery.registrar,
    join(name, entries, how = {}) {
      const joining = typeof how === "string" ? { version: how } : { version: "1", ...how };
      return serve({ ...quiet, name, services: entries, ...joining, discovery: address, drainMs: 0 });
    },
    gateway: (options) => openGateway({ ...quiet, port: 0, discovery: address, version: "1", drainMs: 0, ...options }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A gateway with Ann's user service behind it, routed. */
export async function openShop(seen: Headers[] = []) {
  await using own = new AsyncDisposableStack();
  const town: Town = own.use(await openTown());
  const users = own.use(await town.join("user", [[UserService, annService(seen)]]));
  const gateway = own.use(await town.gateway());
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`${url}/v1/users`),
    ({ status }) => status === 200,
  );
  seen.length = 0;
  const all = own.move();
  return { town, users, gateway, url, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A user service that knows one user, Ann with id 1, and tells what it was asked with. */
export function annService(seen: Headers[] = []): Partial<ServiceImpl<typeof UserService>> {
  return {
    getUser({ id }, context) {
      seen.push(context.requestHeader);
      if (id !== 1n) throw notFound("user", id, "shop.user.v1");
      context.responseHeader.set("x-from", "upstream");
      context.responseTrailer.set("x-after", "all");
      return { user: ann };
    },
    createUser: ({ name, email }) => ({ user: { ...ann, id: 2n, name, email } }),
    listUsers: () => ({ users: [ann], nextPageToken: "" }),
  };
}

const ann: MessageInitShape<typeof UserSchema> = { id: 1n, name: "Ann", email: "ann@example.org" };

/** What passes through an echo: `Note { text }`. */
export type Note = { readonly text: string };

/** A contract without REST paths that has a method of every shape, and whatever else the version adds. */
export function echoContract(extraMethods: readonly string[] = []): DescService {
  const method = (name: string, shape = {}) => ({
    name,
    inputType: ".echo.v1.Note",
    outputType: ".echo.v1.Note",
    ...shape,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "echo/v1/echo.proto",
    package: "echo.v1",
    syntax: "proto3",
    messageType: [{ name: "Note", field: [text] }],
    service: [
      {
        name: "EchoService",
        method: [
          method("One"),
          method("Many", { serverStreaming: true }),
          method("Sum", { clientStreaming: true }),
          method("Chat", { clientStreaming: true, serverStreaming: true }),
          ...extraMethods.map((name) => method(name)),
        ],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("echo.v1.EchoService");
  if (service === undefined) throw new Error("the echo contract has lost its service");
  return service;
}

const text = {
  name: "text",
  number: 1,
  type: FieldDescriptorProto_Type.STRING,
  label: FieldDescriptorProto_Label.OPTIONAL,
  jsonName: "text",
};

/** Says everything once, letter by letter, put together, or one by one. */
export const echo = {
  one: ({ text }: Note) => ({ text }),
  async *many({ text }: Note) {
    for (const letter of text) yield { text: letter };
  },
  async sum(notes: AsyncIterable<Note>) {
    let all = "";
    for await (const { text } of notes) all += text;
    return { text: all };
  },
  async *chat(notes: AsyncIterable<Note>) {
    for await (const { text } of notes) yield { text: `${text}!` };
  },
};

/** A Connect transport of every protocol to a port. */
export function transportsTo(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`;
  return [
    ["Connect", createConnectTransport({ baseUrl, httpVersion: "2" })],
    ["Connect in JSON", createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false })],
    ["gRPC-Web", createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
    ["gRPC", createGrpcTransport({ baseUrl })],
  ] as const;
}

/** Asks until the answer passes, for at most ten seconds: for what takes as long as sockets take. */
export async function until<T>(ask: () => T | Promise<T>, passes: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (passes(answer)) return answer;
    if (attempt === 500) throw new Error(`still waiting; the last answer was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a gateway knows by now who serves what it was asked for: 404 is for what nobody serves, 503 while it still asks. */
export const isRouted = ({ status }: Response) => status !== 404 && status !== 503;
