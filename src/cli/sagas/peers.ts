import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { silentLogger } from "../../base/log.ts";
import { bearer } from "../../mesh/credentials.ts";
import { type Mesh, openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import type { Cli } from "../command.ts";
import { type InstanceView, listInstances } from "../instances.ts";

/** A service that has sagas, by one of its instances: each answers for all, from their database. */
export interface SagaPeer {
  readonly name: string;
  readonly sagas: Client<typeof SagaService>;
}

/** All of them, by name. */
export interface SagaPeers extends AsyncDisposable {
  readonly all: readonly SagaPeer[];
}

/** Finds them through discovery. Rejects when that does not answer. With a token, calls show it. */
export async function openSagaPeers({ discovery }: Cli, token?: string): Promise<SagaPeers> {
  const instances = await listInstances(discovery);
  const serving = instances.filter(({ services }) => services.includes(SagaService.typeName));
  const names = [...new Set(serving.map(({ name }) => name))].sort();
  const opened = await Promise.all(
    names.flatMap((name) => bestOf(serving, name) ?? []).map((best) => open(best, token)),
  );
  return {
    all: opened.map(({ peer }) => peer),
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map(({ mesh }) => mesh[Symbol.asyncDispose]()));
    },
  };
}

/** What the one says that knows the saga; `undefined` when nobody does. Any other error is the answer. */
export async function askOwner<T>(
  { all }: SagaPeers,
  ask: (peer: SagaPeer) => Promise<T>,
): Promise<{ readonly peer: SagaPeer; readonly answer: T } | undefined> {
  for (const peer of all) {
    try {
      return { peer, answer: await ask(peer) };
    } catch (reason) {
      if (ConnectError.from(reason).code !== Code.NotFound) throw reason;
    }
  }
  return undefined;
}

/** A healthy one, if there is one. */
function bestOf(instances: readonly InstanceView[], name: string): InstanceView | undefined {
  const own = instances.filter((instance) => instance.name === name);
  return own.find(({ health }) => health === "healthy") ?? own[0];
}

async function open(instance: InstanceView, token: string | undefined): Promise<{ peer: SagaPeer; mesh: Mesh }> {
  const { name, address, scheme } = instance;
  const target = scheme === "https" ? `https://${address}` : address;
  const resolver = staticResolver({ [SagaService.typeName]: [target] });
  const credentials = token === undefined ? {} : { credentials: bearer(token, { to: [SagaService] }) };
  const mesh = await openMesh({ resolver, faults: "", log: silentLogger, ...credentials });
  return { peer: { name, sagas: mesh.client(SagaService) }, mesh };
}
