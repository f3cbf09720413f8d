import type { Engine } from "../wire/engine.ts";
import { engines } from "../wire/engines.ts";

/** The engines of both ends of a connection. */
export interface EnginePair {
  readonly client: Engine;
  readonly server: Engine;
}

/** Every engine as the client of every engine, for `describe.each`: each end has to get on with a stranger. */
export const pairs: readonly (readonly [client: string, server: string, pair: EnginePair])[] = Object.entries(
  engines,
).flatMap(([clientName, client]) =>
  Object.entries(engines).map(([serverName, server]) => [clientName, serverName, { client, server }] as const),
);
