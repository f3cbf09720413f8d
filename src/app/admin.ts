import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Registry } from "prom-client";
import type { Followed } from "../base/watch.ts";
import { traceIdIn } from "../call/traceparent.ts";
import { summaryOf } from "../mesh/explained-call.ts";
import { callsOfTrace, eventfulCalls } from "../mesh/recent.ts";
import { jsonAnswer, nothingHere, textAnswer } from "../server/answers.ts";
import type { Server } from "../server/serve.ts";
import { metricsContentType } from "../telemetry/metrics.ts";
import type { Engine, Listener } from "../wire/engine.ts";

/** What the pages for machines tell of. */
export interface AdminOptions {
  readonly engine: Engine;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly server: Server;
  readonly metrics: Registry;
  /** True once the start is over: until then nobody should send calls, as nobody finds it yet. */
  readonly started: Pick<Followed<boolean>, "value">;
}

/**
 * Opens the pages for machines: `/metrics` for Prometheus, `/healthz` the process lives, `/readyz` send it calls,
 * `/calls` what became of the calls that this process has made, which `heddle explain` asks for.
 */
export function openAdmin({ engine, host, port, server, metrics, started }: AdminOptions): Promise<Listener> {
  return engine.listen({
    host,
    port,
    async handler(request) {
      const { pathname, searchParams } = new URL(request.url);
      switch (`${request.method} ${pathname}`) {
        case "GET /metrics":
          return textAnswer(200, await metrics.metrics(), { "content-type": metricsContentType });
        case "GET /healthz":
          return jsonAnswer(200, { status: "alive" });
        case "GET /readyz": {
          const status = !server.health.serving.value ? "draining" : started.value ? "ready" : "starting";
          return jsonAnswer(status === "ready" ? 200 : 503, { status });
        }
        case "GET /calls":
          return calls(searchParams.get("trace"));
        default:
          return nothingHere(request);
      }
    },
  });
}

/** So many calls are listed. */
const listed = 100;

/** The calls of a trace, explained; without one, the latest that did not go straight to their answer, a line for each. */
function calls(trace: string | null): UniversalServerResponse {
  if (trace === null) return jsonAnswer(200, eventfulCalls(listed).map(summaryOf));
  const traceId = traceIdIn(trace);
  if (traceId !== undefined) return jsonAnswer(200, callsOfTrace(traceId));
  const message = `"${trace}" is no trace id: 32 hexadecimal digits, such as 0af7651916cd43dd8448eb211c80319c`;
  return jsonAnswer(400, { code: Code.InvalidArgument, message, details: [] });
}
