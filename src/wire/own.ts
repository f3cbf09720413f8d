import { type Clock, systemClock } from "../base/clock.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Engine } from "./engine.ts";
import type { Network } from "./network.ts";
import { listen } from "./own-listen.ts";
import { OwnSession } from "./own-session.ts";
import { socketNetwork } from "./socket-network.ts";

/** All that our engine knows of the world. */
export interface OwnParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The engine over our own HTTP/2, on a network, a clock and dice of one's choice; what is left out is the machine's.
 * A network in memory carries HTTP/2 only: HTTP/1.1 is spoken by `node:http`, on real sockets.
 */
export function createOwnEngine(given: Partial<OwnParts> = {}): Engine {
  const { clock = systemClock, random = systemRandom, network = socketNetwork(clock) } = given;
  const parts = { network, clock, random };
  return {
    listen: (options) => listen(options, parts),
    connect: (address, options) => new OwnSession(address, parts, options),
  };
}

/** The engine over our own HTTP/2, on the machine's network and time. */
export const ownEngine: Engine = createOwnEngine();
