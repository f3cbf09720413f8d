import type { Registry } from "prom-client";
import type { Followed } from "../base/watch.ts";
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

/** Opens the pages for machines: `/metrics` for Prometheus, `/healthz` the process lives, `/readyz` send it calls. */
export function openAdmin({ engine, host, port, server, metrics, started }: AdminOptions): Promise<Listener> {
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
          const status = !server.health.serving.value ? "draining" : started.value ? "ready" : "starting";
          return jsonAnswer(status === "ready" ? 200 : 503, { status });
        }
        default:
          return nothingHere(request);
      }
    },
  });
}
