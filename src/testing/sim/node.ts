import { Code } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { methodName } from "../../call/method.ts";
import type { MeshHooks } from "../../mesh/hooks.ts";
import { type Mesh, type MeshOptions, openMesh } from "../../mesh/mesh.ts";
import type { Engine } from "../../wire/engine.ts";
import { createOwnEngine } from "../../wire/own.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Dice } from "./dice.ts";
import type { VirtualNetwork } from "./network.ts";
import { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/**
 * What all nodes of a world share.
 * @internal
 */
export interface WorldParts {
  readonly timeline: Timeline;
  readonly chronicle: Chronicle;
  readonly network: VirtualNetwork;
  readonly dice: Dice;
  /** Whether it is noted where timers were set. */
  readonly notesOrigins: boolean;
}

/** What code that runs in the simulated world may know of it: all that a process has, and nothing of the real one. */
export class Node {
  /** Its host's name on the network, too. */
  readonly name: string;
  readonly process: Process;
  readonly clock: Clock;
  readonly random: Dice;
  readonly engine: Engine;
  readonly log: Logger;
  readonly #parts: WorldParts;

  /**
   * The `life`-th process on a host, counted from 1.
   * @internal
   */
  constructor(name: string, life: number, parts: WorldParts) {
    const { timeline, network, dice, chronicle } = parts;
    this.name = name;
    this.#parts = parts;
    this.process = new Process(name, timeline, dice.fork(`${name} ${life}`), parts.notesOrigins);
    this.clock = this.process.clock;
    this.random = this.process.dice;
    const seen = network.seenBy(this.process, name);
    this.engine = createOwnEngine({ network: seen, clock: this.clock, random: this.random.fork("engine") });
    this.log = chronicleLogger(chronicle, name);
  }

  /** Opens a mesh in this process. What its calls come to is written in the chronicle. Closing it is its opener's. */
  openMesh(options: MeshOptions = {}): Promise<Mesh> {
    const { clock, engine, log } = this;
    const random = this.random.fork("mesh");
    const hooks = both(this.#told(), options.hooks ?? {});
    return openMesh({ discovery: registryAddress, clock, random, engine, log, ...options, hooks });
  }

  #told(): MeshHooks {
    const { chronicle } = this.#parts;
    return {
      attemptEnded: ({ method, attempt, endpoint, code, durationMs }) =>
        chronicle.tell(
          this.name,
          `${methodName(method)} attempt ${attempt} at ${endpoint.address}: ${codeName(code)} after ${rounded(durationMs)} ms`,
        ),
      callEnded: ({ method, code, durationMs }) =>
        chronicle.tell(this.name, `${methodName(method)}: ${codeName(code)} after ${rounded(durationMs)} ms`),
    };
  }
}

/** Where the registry of a world listens. */
export const registryAddress = "registry:8500";

/** "ok", or the code's name. */
export function codeName(code: Code | undefined): string {
  return code === undefined ? "ok" : Code[code];
}

function both(own: MeshHooks, given: MeshHooks): MeshHooks {
  return {
    callStarted: (method) => given.callStarted?.(method),
    attemptEnded(attempt) {
      own.attemptEnded?.(attempt);
      given.attemptEnded?.(attempt);
    },
    callEnded(call) {
      own.callEnded?.(call);
      given.callEnded?.(call);
    },
  };
}

/** A log that is part of the chronicle. */
function chronicleLogger(chronicle: Chronicle, name: string): Logger {
  const tell = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    chronicle.tell(name, `${level}: ${message}${fields === undefined ? "" : ` ${shown(fields)}`}`);
  return {
    debug() {},
    info: tell("info"),
    warn: tell("warn"),
    error: tell("error"),
    child: () => chronicleLogger(chronicle, name),
  };
}

function shown(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields, (_key, value: unknown) => {
    if (value instanceof Error) return value.message;
    return typeof value === "bigint" ? String(value) : value;
  });
}

const rounded = (ms: number) => Math.round(ms * 1_000) / 1_000;
