import { once } from "node:events";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { type Mesh, openMesh } from "../../../mesh/mesh.ts";
import { staticResolver } from "../../../mesh/resolve/static.ts";
import { openServer, type Server, type ServiceEntries } from "../../../server/serve.ts";
import { freePort } from "../../../testing/free-port.ts";

/** The id of a user whom the server looks for until the caller has had enough. */
export const nobody = 404n;

/** The id of an order of which there is not much to tell. */
export const brief = "brief";

const services: ServiceEntries<[typeof UserService, typeof OrderService]> = [
  [
    UserService,
    {
      async getUser({ id }, { signal }) {
        if (id === nobody) await untilAborted(signal);
        return { user: { id, name: "somebody" } };
      },
    },
  ],
  [
    OrderService,
    {
      async *watchOrder({ id }, { signal }) {
        for (let i = 0; i < 5; i++) yield { order: { id } };
        if (id !== brief) await untilAborted(signal);
      },
    },
  ],
];

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  throw signal.reason;
}

/** Two servers, of which the second is behind a wire that can be cut, and a mesh that knows both. */
export class World implements AsyncDisposable {
  readonly mesh: Mesh;
  readonly addresses: readonly string[];
  readonly #servers: Server[];
  readonly #wire: NetServer;
  readonly #ends: Set<Socket>;

  private constructor(parts: {
    mesh: Mesh;
    addresses: readonly string[];
    servers: Server[];
    wire: NetServer;
    ends: Set<Socket>;
  }) {
    this.mesh = parts.mesh;
    this.addresses = parts.addresses;
    this.#servers = parts.servers;
    this.#wire = parts.wire;
    this.#ends = parts.ends;
  }

  static async open(): Promise<World> {
    const servers = [await openServer({ services }), await openServer({ services })];
    const ends = new Set<Socket>();
    const behind = servers[1]?.port ?? 0;
    const wire = createServer((near) => join(near, connect(behind, "127.0.0.1"), ends));
    const port = await freePort();
    await once(wire.listen(port, "127.0.0.1"), "listening");
    const addresses = [`127.0.0.1:${servers[0]?.port}`, `127.0.0.1:${port}`];
    const resolver = staticResolver({ [UserService.typeName]: addresses, [OrderService.typeName]: addresses });
    return new World({ mesh: await openMesh({ resolver }), addresses, servers, wire, ends });
  }

  /** Whether somebody is connected through the wire. */
  get isWired(): boolean {
    return this.#ends.size > 0;
  }

  /** Cuts the wire as a crash does: RST to both ends. */
  cut(): void {
    for (const end of this.#ends) end.resetAndDestroy();
  }

  /** Drains one of the servers, and opens it again where it was. */
  async restart(which: 0 | 1): Promise<void> {
    const old = this.#servers[which] as Server;
    await old.drain(20);
    this.#servers[which] = await openServer({ services, port: old.port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mesh[Symbol.asyncDispose]();
    await Promise.all(this.#servers.map((server) => server.drain(0)));
    this.cut();
    this.#wire.close();
  }
}

function join(near: Socket, far: Socket, ends: Set<Socket>): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    ends.add(from);
    from.on("error", () => {});
    from.on("close", () => {
      ends.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
