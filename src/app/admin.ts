import type { Registry } from "prom-client";
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
}

/** Opens the pages for machines: `/metrics` for Prometheus, `/healthz` the process lives, `/readyz` send it calls. */
export function openAdmin({ engine, host, port, server, metrics }: AdminOptions): Promise<Listener> {
  return engine.listen({
    host,
    port,
    async handler(request) {
      switch (`${request.method} ${new URL(request.url).pathname}`) {
        case "GET /metrics":
          return textAnswer(200, await metrics.metrics(), { "content-type": metricsContentType });
        case "GET /healthz":
          return jsonAnswer(200, { status: "alive" });
        case "GET /readyz": {
          const ready = server.health.serving.value;
          return jsonAnswer(ready ? 200 : 503, { status: ready ? "ready" : "draining" });
        }
        default:
          return nothingHere(request);
      }
    },
  });
}
