import type { Engine } from "./engine.ts";
import { listen } from "./own-listen.ts";
import { OwnSession } from "./own-session.ts";

/** The engine over our own HTTP/2: `http2` on sockets, `node:http` for HTTP/1.1. */
export const ownEngine: Engine = {
  listen,
  connect: (address, options) => new OwnSession(address, options),
};
