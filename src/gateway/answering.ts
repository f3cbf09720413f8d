import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { isNothing, notHereYet } from "../server/answers.ts";
import { pathOf } from "../server/dispatch.ts";
import type { HealthState } from "../server/health.ts";
import type { AddressSet } from "../wire/addresses.ts";
import type { HttpHandler } from "../wire/engine.ts";
import type { Room } from "../wire/grpc/rpc.ts";
import { type BodyLimits, withBodyLimits } from "./http/bodies.ts";
import { withCallerAddress } from "./http/caller-address.ts";
import { withCompression } from "./http/compression.ts";
import { withCors } from "./http/cors.ts";
import { withETag } from "./http/etag.ts";
import { withHead } from "./http/head.ts";
import { withIdempotencyKey } from "./http/idempotency-key.ts";
import { withRequestId } from "./http/request-id.ts";
import { withSecurityHeaders } from "./http/security-headers.ts";
import { withTrace } from "./http/trace.ts";
import type { KeyedRequests } from "./idempotency/keyed-requests.ts";
import { healthPage } from "./pages/health-page.ts";
import { type Documentation, pagesOf } from "./pages/pages.ts";
import type { Routing } from "./routes/routing.ts";

/** What answers are made of. */
export interface AnsweringOptions {
  /** The server's own answers: its health for machines, and that there is nothing. */
  readonly own: HttpHandler;
  readonly routing: Routing;
  readonly health: HealthState;
  readonly version: string;
  /** Whether it can prove callers: methods that ask for access are closed where it cannot. */
  readonly provesCallers: boolean;
  /** Unset, there is none. */
  readonly documentation: Documentation | undefined;
  readonly corsOrigins: readonly string[];
  /** Answers requests with Idempotency-Key; without it the key is only passed on. */
  readonly keyed: KeyedRequests | undefined;
  /** Proxies whose word for where a request comes from is taken. */
  readonly proxies: AddressSet | undefined;
  readonly bodies: BodyLimits;
  readonly room: Room;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Answers every request: preflights, the pages of the gateway itself, what is routed at this moment, the server's own, in
 * this order.
 */
export function answering(options: AnsweringOptions): HttpHandler {
  const { own, routing, health, documentation, corsOrigins, proxies, bodies, room, keyed, clock, random, ...about } =
    options;
  const told = (): readonly [boolean, Record<string, unknown>] => {
    const serving = health.serving.value;
    return [serving, healthPage({ ...about, serving, fleet: routing.fleet.value, routes: routing.routes.value })];
  };
  const pages = pagesOf({ health: told, documentation });
  const unrouted: HttpHandler = async (request) => {
    const answer = await own(request);
    return isNothing(answer) && !routing.isSettled() ? notHereYet(request) : answer;
  };
  const route: HttpHandler = async (request) => {
    const page = pages(request, pathOf(request.url));
    if (page !== undefined) return (await page) ?? own(request);
    return (await routing.routes.value.answer(request)) ?? unrouted(request);
  };
  const shaped = withHead(withCompression(withETag(withIdempotencyKey(keyed, route))));
  const traced = withBodyLimits({ limits: bodies, room, clock }, withTrace(random, shaped));
  const known = withRequestId(withCors(corsOrigins, withCallerAddress(proxies, traced)));
  return withSecurityHeaders({ everybody: corsOrigins.includes("*") }, known);
}
