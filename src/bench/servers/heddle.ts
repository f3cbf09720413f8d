import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { openServer } from "../../server/serve.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { serverMetrics } from "../../telemetry/server-metrics.ts";
import { EchoService } from "../sample.ts";
import { echoes, orders } from "./answers.ts";

/** All steps on: deadline, a caller who is proven, access, validation; metrics as in every service. */
export async function open(interceptors: number): Promise<number> {
  const principal = { subject: "caller", scopes: new Set<string>() };
  const server = await openServer({
    services: [
      [OrderService, orders],
      [EchoService, echoes],
    ],
    authenticate: async () => principal,
    interceptors: Array.from({ length: interceptors }, () => (next) => (req) => next(req)),
    hooks: serverMetrics(createMetrics({ service: "order" })),
  });
  return server.port;
}
