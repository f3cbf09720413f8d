/** One of the plain services: `main.ts ROLE`, with what it needs in PORT, DATABASE_URL, AMQP_URL, SHOP, and <NAME>_ADDRESS. */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { openBus } from "./bus.ts";
import { openCatalog } from "./catalog.ts";
import { openGateway } from "./gateway.ts";
import { openOrder } from "./order.ts";
import { openUser } from "./user.ts";

const {
  PORT,
  DATABASE_URL = "",
  AMQP_URL = "",
  SHOP = "plain",
  USER_ADDRESS = "",
  CATALOG_ADDRESS = "",
  ORDER_ADDRESS = "",
} = process.env;
const addresses = { user: USER_ADDRESS, catalog: CATALOG_ADDRESS, order: ORDER_ADDRESS };

const bus = { url: AMQP_URL, shop: SHOP };

const roles: Readonly<Record<string, () => Promise<void>>> = {
  user: async () => serve(await openUser(DATABASE_URL, await openBus(bus))),
  catalog: async () => serve(await openCatalog(DATABASE_URL, await openBus(bus))),
  order: async () => serve(await openOrder(DATABASE_URL, await openBus(bus), addresses)),
  gateway: () => openGateway(addresses, Number(PORT)),
};

async function serve(routes: (router: ConnectRouter) => void): Promise<void> {
  const server = createServer(connectNodeAdapter({ routes }));
  server.listen(Number(PORT), "127.0.0.1");
  await once(server, "listening");
}

await roles[process.argv[2] ?? ""]?.();
process.send?.({ answer: "ready" });
