import { environmentOr } from "../base/env.ts";
import type { Engine } from "./engine.ts";
import { nodeEngine } from "./node.ts";
import { ownEngine } from "./own.ts";

/** Engines by the names that `HEDDLE_HTTP2` takes. */
export const engines: Readonly<Record<string, Engine>> = { node: nodeEngine, own: ownEngine };

/** The engine that `HEDDLE_HTTP2` names; `node` unless it names one. */
export const defaultEngine: Engine = engineNamed(environmentOr("HEDDLE_HTTP2", "node"));

function engineNamed(name: string): Engine {
  const engine = engines[name];
  if (engine === undefined) throw new Error(`HEDDLE_HTTP2=${name} has to be one of ${Object.keys(engines).join(", ")}`);
  return engine;
}
