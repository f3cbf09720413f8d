import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { silentLogger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import { bearer } from "../../mesh/credentials.ts";
import { type Mesh, openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import { type Cli, UsageError } from "../command.ts";
import { type InstanceView, listInstances } from "../instances.ts";
import { nearest } from "../nearest.ts";
import { spellList } from "../spell.ts";

/** A service that has to do with events, by one of its instances: each answers for all, from their database. */
export interface EventPeer {
  readonly name: string;
  /** Its log, where it publishes. */
  readonly log: Client<typeof EventService> | undefined;
  /** What it hears of others, where it does. */
  readonly hears: Client<typeof SubscriptionService> | undefined;
}

/** All of them, by name. */
export interface EventPeers extends AsyncDisposable {
  readonly all: readonly EventPeer[];
  /** Those of a name; of any where none is given. A name that nobody has is a UsageError with the nearest one. */
  named(name: string | undefined): readonly EventPeer[];
}

/** Finds them through discovery. Rejects when that does not answer. With a token, calls show it. */
export async function openEventPeers({ discovery }: Cli, token?: string): Promise<EventPeers> {
  const instances = (await listInstances(discovery)).filter((instance) =>
    services.some((each) => serves(instance, each)),
  );
  const names = [...new Set(instances.map(({ name }) => name))].sort();
  const opened = await Promise.all(names.map((name) => openPeer(bestOf(instances, name), token)));
  const all = opened.map(({ peer }) => peer);
  return {
    all,
    named: (name) => {
      if (name === undefined) return all;
      const found = all.filter((peer) => peer.name === name);
      if (found.length === 0) throw new UsageError(unknown(name, names));
      return found;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map(({ mesh }) => mesh[Symbol.asyncDispose]()));
    },
  };
}

/** What each has answered, and who has not. */
export interface Asked<T> {
  readonly answers: readonly { readonly peer: EventPeer; readonly answer: T }[];
  readonly silent: readonly { readonly peer: EventPeer; readonly why: string }[];
}

/** Asks all of them at once. */
export async function askAll<T>(peers: readonly EventPeer[], ask: (peer: EventPeer) => Promise<T>): Promise<Asked<T>> {
  const asked = await Promise.all(
    peers.map((peer) =>
      ask(peer).then(
        (answer) => ({ peer, answer }),
        (reason: unknown) => ({ peer, why: messageOf(reason) }),
      ),
    ),
  );
  return { answers: asked.filter((each) => "answer" in each), silent: asked.filter((each) => "why" in each) };
}

const services: readonly DescService[] = [EventService, SubscriptionService];
const serves = ({ services }: InstanceView, service: DescService) => services.includes(service.typeName);

/** A healthy one, if there is one. */
function bestOf(instances: readonly InstanceView[], name: string): InstanceView {
  const own = instances.filter((instance) => instance.name === name);
  const best = own.find(({ health }) => health === "healthy") ?? own[0];
  if (best === undefined) throw new RangeError(`there is no ${name}`);
  return best;
}

async function openPeer(instance: InstanceView, token: string | undefined): Promise<{ peer: EventPeer; mesh: Mesh }> {
  const { name, address, scheme } = instance;
  const target = scheme === "https" ? `https://${address}` : address;
  const resolver = staticResolver(Object.fromEntries(services.map(({ typeName }) => [typeName, [target]])));
  const credentials = token === undefined ? {} : { credentials: bearer(token, { to: services }) };
  const mesh = await openMesh({ resolver, faults: "", log: silentLogger, ...credentials });
  const log = serves(instance, EventService) ? mesh.client(EventService) : undefined;
  const hears = serves(instance, SubscriptionService) ? mesh.client(SubscriptionService) : undefined;
  return { peer: { name, log, hears }, mesh };
}

function unknown(name: string, names: readonly string[]): string {
  if (names.length === 0) return `nobody has to do with events, nor is there a service "${name}"`;
  const meant = nearest(name, names);
  return `no service "${name}" has to do with events${meant ? `: did you mean ${meant}?` : `; ${spellList(names)} have`}`;
}
