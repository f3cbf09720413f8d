import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { EchoService } from "../sample.ts";
import { echoes, orders } from "./answers.ts";

/** As its manual has it: its adapter on a server of `node:http2`. */
export async function open(): Promise<number> {
  const routes = (router: ConnectRouter) => void router.service(OrderService, orders).service(EchoService, echoes);
  const server = createServer(connectNodeAdapter({ routes }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
