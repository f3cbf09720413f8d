import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type ServiceImpl,
} from "@connectrpc/connect";
import { DiscoveryService, type WatchResponseSchema } from "../../gen/heddle/discovery/v1/discovery_pb.ts";

type Step = MessageInitShape<typeof WatchResponseSchema>;

/** One stream that a test writes to. */
export interface ScriptedStream<T> {
  send(message: T): void;
  /** Ends the stream well, or with an error. */
  end(error?: ConnectError): void;
  /** Whether its client has left. */
  readonly left: boolean;
}

/** Discovery as a test plays it. */
export interface ScriptedDiscovery {
  readonly client: Client<typeof DiscoveryService>;
  /** The same, to be served on a port. */
  readonly implementation: Partial<ServiceImpl<typeof DiscoveryService>>;
  /** While true, every call fails with UNAVAILABLE at once. */
  away: boolean;
  /** The watches opened, with the service they ask for, in order. */
  readonly watches: (ScriptedStream<Step> & { readonly service: string })[];
  /** What was registered, renewed and deregistered, in order: "register a", "renew a", "deregister a". */
  readonly told: string[];
  /** Whether renewals are answered with `known`; unset, they are not answered. */
  known: boolean | undefined;
}

/** A discovery that does only what the test tells it to. */
export function scriptedDiscovery(): ScriptedDiscovery {
  const script: Omit<ScriptedDiscovery, "client" | "implementation"> = {
    away: false,
    watches: [],
    told: [],
    known: true,
  };
  const assertThere = () => {
    if (script.away) throw new ConnectError("connection refused", Code.Unavailable);
  };
  const implementation: Partial<ServiceImpl<typeof DiscoveryService>> = {
    async *watch({ service }, { signal }) {
      assertThere();
      const { stream, messages } = scriptedStream<Step>(signal);
      script.watches.push(Object.assign(stream, { service }));
      yield* messages;
    },
    register({ instance }) {
      assertThere();
      script.told.push(`register ${instance?.id}`);
      return {};
    },
    async *keepAlive(renewals) {
      assertThere();
      for await (const { id } of renewals) {
        assertThere();
        script.told.push(`renew ${id}`);
        if (script.known !== undefined) yield { id, known: script.known };
      }
    },
    deregister({ id }) {
      assertThere();
      script.told.push(`deregister ${id}`);
      return {};
    },
  };
  const transport = createRouterTransport(({ service }) => service(DiscoveryService, implementation));
  return Object.assign(script, { client: createClient(DiscoveryService, transport), implementation });
}

function scriptedStream<T>(signal: AbortSignal) {
  const queue: (T | ConnectError | undefined)[] = [];
  let wake = () => {};
  const put = (entry: T | ConnectError | undefined) => {
    queue.push(entry);
    wake();
  };
  signal.addEventListener("abort", () => wake());
  async function* messages() {
    while (!signal.aborted) {
      while (queue.length > 0) {
        const entry = queue.shift();
        if (entry instanceof ConnectError) throw entry;
        if (entry === undefined) return;
        yield entry;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const stream: ScriptedStream<T> = {
    send: put,
    end: put,
    get left() {
      return signal.aborted;
    },
  };
  return { stream, messages: messages() };
}
