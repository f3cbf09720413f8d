import type { Engine } from "./engine.ts";
import { listen } from "./node-listen.ts";
import { NodeSession } from "./node-session.ts";

/** The engine over `node:http2`, `node:http` and connect-node. */
export const nodeEngine: Engine = {
  listen,
  connect: (address, options) => new NodeSession(address, options),
};
