import { Deadlines } from "../base/deadlines.ts";
import { Watchable } from "../base/watch.ts";
import type { Listener, ListenOptions, ServerTls } from "./engine.ts";
import { closedByPeers, settled } from "./listening.ts";
import type { Door } from "./network.ts";
import type { OwnParts } from "./own.ts";
import { Http1 } from "./own-http1.ts";
import { Serving } from "./own-serving.ts";
import { Servings } from "./own-servings.ts";
import { agedAt } from "./wear.ts";

/** Opens a port for HTTP/1.1, which `node:http` speaks, and HTTP/2, which we do. */
export async function listen(options: ListenOptions, { network, clock, random }: OwnParts): Promise<Listener> {
  const { host, port, handler, rpcs, tls, log, clock: callClock = clock } = options;
  const { maxAgeMs = 600_000, ageGraceMs, idleMs } = options;
  const inFlight = new Watchable(0);
  const scheme = tls ? "https" : "http";
  const http1 = new Http1({ handler, scheme, inFlight, clock: callClock }, options);
  const servings = new Servings(clock);
  const deadlines = new Deadlines(callClock);
  const shared = {
    handler,
    clock,
    inFlight,
    scheme,
    ...(rpcs && { calls: { rpcs, clock: callClock, deadlines } }),
    ...(log && { log }),
    ...(ageGraceMs !== undefined && { ageGraceMs }),
    ...(idleMs !== undefined && { limits: { idleMs } }),
  } as const;
  const door = await network.listen(
    { host, port, ...(tls && { tls }) },
    {
      http2: (socket) => {
        const endsAt = agedAt(clock.now(), maxAgeMs, random);
        servings.add(new Serving(socket, { ...shared, endsAt }));
      },
      http1: (socket) => http1.serve(socket),
    },
  );
  return new OwnListener({ door, http1, servings, deadlines, inFlight, clock });
}

interface Parts extends Pick<OwnParts, "clock"> {
  readonly door: Door;
  readonly http1: Http1;
  readonly servings: Servings;
  readonly deadlines: Deadlines;
  readonly inFlight: Watchable<number>;
}

class OwnListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #parts: Parts;
  #drained: Promise<number> | undefined;

  constructor(parts: Parts) {
    this.host = parts.door.host;
    this.port = parts.door.port;
    this.#parts = parts;
  }

  get inFlight(): number {
    return this.#parts.inFlight.value;
  }

  setTls(tls: ServerTls): void {
    this.#parts.door.setTls(tls);
  }

  drain(graceMs: number): Promise<number> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #drain(graceMs: number): Promise<number> {
    const { door, http1, servings, deadlines, inFlight, clock } = this.#parts;
    const closed = door.close();
    http1.leave();
    const endsAt = clock.now() + graceMs;
    await servings.leave(graceMs);
    const cutOff = await settled(inFlight, endsAt - clock.now(), clock);
    http1.close();
    servings.close();
    if (graceMs > 0) await closedByPeers(closed, clock);
    door.destroyAll();
    await closed;
    deadlines[Symbol.dispose]();
    return cutOff;
  }
}
