import type { DescService } from "@bufbuild/protobuf";
import { type Code, ConnectError } from "@connectrpc/connect";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { Watchable } from "../../base/watch.ts";
import type { Resolution, Resolver } from "../../mesh/resolve/resolver.ts";
import { endpointAt } from "../../mesh/resolve/static.ts";
import { openTestServer, type TestServer } from "../../testing/open-server.ts";

/** Replicas of a user service that only counts: each answers with its own address as the user's name. */
export interface UserReplicas extends AsyncDisposable {
  readonly addresses: readonly string[];
  /** Calls that arrived, by method, at any replica. */
  readonly asked: Readonly<Record<string, number>>;
  /** What the next calls are answered with instead, one each; `undefined` is a call that gets no answer. */
  readonly failures: (Code | undefined)[];
}

/** Opens `count` replicas. */
export async function openUserReplicas(count: number): Promise<UserReplicas> {
  const asked: Record<string, number> = {};
  const failures: (Code | undefined)[] = [];
  async function arrive(method: string, signal: AbortSignal): Promise<void> {
    asked[method] = (asked[method] ?? 0) + 1;
    if (failures.length === 0) return;
    const code = failures.shift();
    if (code === undefined)
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    throw new ConnectError("as the test asked", code);
  }
  const servers: TestServer[] = [];
  for (let replica = 0; replica < count; replica++) {
    const server: TestServer = await openTestServer([
      [
        UserService,
        {
          async getUser({ id }, { signal }) {
            await arrive("getUser", signal);
            return { user: { id, name: server.address } };
          },
          async createUser(_, { signal }) {
            await arrive("createUser", signal);
            return { user: { id: 1n, name: server.address } };
          },
        },
      ],
    ]);
    servers.push(server);
  }
  return {
    addresses: servers.map(({ address }) => address),
    asked,
    failures,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

/** A resolver of one service that a test moves by hand. */
export class MovedResolver implements Resolver {
  readonly #followed: Watchable<Resolution>;
  readonly #service: string;

  /** Without addresses nothing is known yet. */
  constructor(service: DescService, addresses?: readonly string[]) {
    this.#service = service.typeName;
    this.#followed = new Watchable<Resolution>(addresses === undefined ? { kind: "pending" } : live(addresses));
  }

  resolve(service: string): Watchable<Resolution> {
    if (service !== this.#service) throw new Error(`asked for ${service}`);
    return this.#followed;
  }

  move(...addresses: readonly string[]): void {
    this.#followed.set(live(addresses));
  }

  set(resolution: Resolution): void {
    this.#followed.set(resolution);
  }

  /** For tests that nobody follows any more. */
  get followers(): number {
    return this.#followed.followers;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function live(addresses: readonly string[]): Resolution {
  return { kind: "live", endpoints: addresses.map((address) => endpointAt(address)) };
}
