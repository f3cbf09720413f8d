import { environmentOr } from "../base/env.ts";
import type { Engine } from "./engine.ts";
import { nodeEngine } from "./node.ts";
import { ownEngine } from "./own.ts";

/** The names of the engines, as `HEDDLE_HTTP2` takes them. */
export const engineNames = ["own", "node"] as const;

/** One of them. */
export type EngineName = (typeof engineNames)[number];

/** Engines by their names. */
export const engines: Readonly<Record<EngineName, Engine>> = { node: nodeEngine, own: ownEngine };

/** The engine that `HEDDLE_HTTP2` names, `own` unless it names one. A wrong name fails the first use of it. */
export const defaultEngine: Engine = {
  listen: async (options) => named().listen(options),
  connect: (address, options) => named().connect(address, options),
};

function named(): Engine {
  const asked = environmentOr("HEDDLE_HTTP2", "own");
  const name = engineNames.find((known) => known === asked);
  if (name === undefined) throw new Error(`HEDDLE_HTTP2=${asked} has to be one of ${engineNames.join(", ")}`);
  return engines[name];
}
