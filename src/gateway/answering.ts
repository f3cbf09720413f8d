import { Code } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { jsonAnswer } from "../server/answers.ts";
import { pathOf } from "../server/dispatch.ts";
import type { HealthState } from "../server/health.ts";
import type { AddressSet } from "../wire/addresses.ts";
import type { HttpHandler } from "../wire/engine.ts";
import type { Room } from "../wire/grpc/rpc.ts";
import { type BodyLimits, withBodyLimits } from "./http/bodies.ts";
import { withCallerAddress } from "./http/caller-address.ts";
import { withCors } from "./http/cors.ts";
import { withRequestId } from "./http/request-id.ts";
import { withSecurityHeaders } from "./http/security-headers.ts";
import { withTrace } from "./http/trace.ts";
import { healthPage } from "./pages/health-page.ts";
import type { Routing } from "./routes/routing.ts";

/** What answers are made of. */
export interface AnsweringOptions {
  /** The server's own answers: its health for machines, and that there is nothing. */
  readonly own: HttpHandler;
  readonly routing: Routing;
  readonly health: HealthState;
  readonly version: string;
  readonly corsOrigins: readonly string[];
  /** Proxies whose word for where a request comes from is taken. */
  readonly proxies: AddressSet | undefined;
  readonly bodies: BodyLimits;
  readonly room: Room;
  readonly clock: Clock;
  readonly random: Random;
}

/** Answers every request: preflights, `/health`, what is routed at this moment, the server's own, in this order. */
export function answering({
  own,
  routing,
  health,
  version,
  corsOrigins,
  proxies,
  bodies,
  room,
  clock,
  random,
}: AnsweringOptions): HttpHandler {
  const page = () => {
    const serving = health.serving.value;
    const told = healthPage({ serving, version, fleet: routing.fleet.value, routes: routing.routes.value });
    return jsonAnswer(serving ? 200 : 503, told);
  };
  const route: HttpHandler = async (request) => {
    if (pathOf(request.url) === "/health") return readOnly(request, page);
    return (await routing.routes.value.answer(request)) ?? own(request);
  };
  const security = { everybody: corsOrigins.includes("*") };
  const traced = withBodyLimits({ limits: bodies, room, clock }, withTrace(random, route));
  const known = withRequestId(withCors(corsOrigins, withCallerAddress(proxies, traced)));
  return withSecurityHeaders(security, known);
}

function readOnly({ method }: UniversalServerRequest, page: () => UniversalServerResponse): UniversalServerResponse {
  if (method === "GET") return page();
  const { status, header = new Headers() } = page();
  if (method === "HEAD") return { status, header };
  const message = `${method} is not allowed here; allowed: GET, HEAD`;
  return jsonAnswer(405, { code: Code.Unimplemented, message, details: [] }, { allow: "GET, HEAD" });
}
