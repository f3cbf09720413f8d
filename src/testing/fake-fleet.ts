import {
  type Client,
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { Health, HealthCheckResponse_ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { seededRandom } from "../base/random.ts";
import { Watchable } from "../base/watch.ts";
import { type Progress, withProgress } from "../call/progress.ts";
import { orAborted } from "../call/stream.ts";
import { type Mesh, type MeshOptions, openMesh } from "../mesh/mesh.ts";
import type { Resolution } from "../mesh/resolve/resolver.ts";
import { endpointAt } from "../mesh/resolve/static.ts";
import type { Engine, Session } from "../wire/engine.ts";
import { sendOver } from "../wire/grpc/send-over.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { unnamed } from "./unnamed.ts";

/** What answers at an address. */
export type Peer = UniversalClientFn;

/** A mesh on a clock that stands still, whose endpoints are functions: no socket, no server. */
export interface Fleet extends AsyncDisposable {
  readonly mesh: Mesh;
  readonly users: Client<typeof UserService>;
  /** The same users by a contract whose requests have no ids: what changes something is sent once. */
  readonly once: Client<typeof UserService>;
  readonly clock: FakeClock;
  /** Who answers at each address; who is not here cannot be connected to. */
  readonly peers: Map<string, Peer>;
  /** The attempts sent, in order. */
  readonly asked: { readonly address: string; readonly header: Headers }[];
  /** The addresses that were asked whether they are well, in order. */
  readonly probed: string[];
  /** The state of each session ever opened. */
  readonly sessions: Map<string, "open" | "retired" | "closed">;
  /** What is known of every service's endpoints. */
  readonly resolution: Watchable<Resolution>;
}

const unnamedUsers = unnamed(UserService);

/** A fleet of the given peers, by address; all of them known as endpoints of every service. */
export async function openFleet(
  peers: Readonly<Record<string, Peer>>,
  options: Omit<MeshOptions, "engine" | "clock" | "resolver"> = {},
): Promise<Fleet> {
  const clock = fakeClock();
  const resolution = new Watchable<Resolution>(live(...Object.keys(peers)));
  const fleet = {
    clock,
    resolution,
    peers: new Map(Object.entries(peers)),
    asked: [],
    probed: [],
    sessions: new Map(),
  };
  const resolver = { resolve: () => resolution, [Symbol.asyncDispose]: async () => {} };
  const mesh = await openMesh({ random: seededRandom(1), ...options, clock, resolver, engine: engineOf(fleet) });
  const close = () => mesh[Symbol.asyncDispose]();
  const clients = { users: mesh.client(UserService), once: mesh.client(unnamedUsers) };
  return { ...fleet, mesh, ...clients, [Symbol.asyncDispose]: close };
}

/** What is known when these addresses are registered. */
export function live(...addresses: string[]): Extract<Resolution, { kind: "live" }> {
  return { kind: "live", endpoints: addresses.map((address) => endpointAt(address)) };
}

type Parts = Pick<Fleet, "clock" | "peers" | "asked" | "probed" | "sessions">;

function engineOf({ clock, peers, asked, probed, sessions }: Parts): Engine {
  return {
    listen: () => Promise.reject(new Error("a fake fleet does not listen")),
    connect(address): Session {
      sessions.set(address, "open");
      const origin = `http://${address}`;
      const request: UniversalClientFn = async (request) => {
        if (request.url.includes(Health.typeName)) probed.push(address);
        else asked.push({ address, header: new Headers(request.header) });
        const peer = peers.get(address) ?? broken("not-sent");
        return peer(request);
      };
      return {
        address,
        origin,
        request,
        clock,
        state: "ready",
        onChange: () => () => {},
        send: sendOver(request, origin, { clock }),
        async retire() {
          sessions.set(address, "retired");
        },
        async [Symbol.asyncDispose]() {
          sessions.set(address, "closed");
        },
      };
    },
  };
}

/**
 * A peer that serves users and orders, and is well unless it says otherwise. Connect's own in-process client loses the
 * trailers of a stream that breaks.
 */
export function serving(
  users: Partial<ServiceImpl<typeof UserService>>,
  orders: Partial<ServiceImpl<typeof OrderService>> = {},
  check: () => object = () => ({ status: HealthCheckResponse_ServingStatus.SERVING }),
): Peer {
  return routed((router) =>
    router.service(UserService, users).service(OrderService, orders).service(Health, { check }),
  );
}

/** A peer that serves what is put on its router. */
export function routed(routes: (router: ConnectRouter) => ConnectRouter): Peer {
  const { handlers } = routes(createConnectRouter());
  return async ({ url, method, header, body = nothing(), signal = new AbortController().signal }) => {
    const handler = handlers.find(({ requestPath }) => requestPath === new URL(url).pathname);
    if (handler === undefined) throw new Error(`${url} is not served by the fake fleet`);
    const answer = await orAborted(handler({ httpVersion: "2.0", url, method, header, body, signal }), signal);
    const { status, header: head = new Headers(), body: rest = nothing(), trailer = new Headers() } = answer;
    return { status, header: head, body: rest, trailer };
  };
}

async function* nothing(): AsyncGenerator<never> {}

/** A peer that answers every user call well: GetUser with its own name. */
export function named(name: string): Peer {
  return serving({ getUser: ({ id }) => ({ user: { id, name } }), createUser: () => ({ user: { name } }) });
}

/** A peer that answers every user call, and whether it is well, with the error. */
export function failing(error: ConnectError): Peer {
  const fail = () => {
    throw new ConnectError(error.rawMessage, error.code, error.metadata, error.details as never[]);
  };
  return serving({ getUser: fail, createUser: fail, listUsers: fail }, {}, fail);
}

/** A peer that is away for the moment. */
export const away: Peer = failing(new ConnectError("away", Code.Unavailable));

/** A peer with which attempts fail on the way there. */
export function broken(progress: Progress): Peer {
  return () => Promise.reject(withProgress(new ConnectError(`broken: ${progress}`, Code.Unavailable), progress));
}

/** A peer that never answers. */
export const hanging: Peer = ({ signal }) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
