import { showCall } from "./calls-card.ts";
import { byId, query } from "./dom.ts";
import { explain, notice } from "./failure.ts";
import { orderCard } from "./order-card.ts";
import { createShop, type Protocol, type Shop } from "./shop.ts";
import { usersCard } from "./users-card.ts";
import { watchCard } from "./watch-card.ts";

// ?gateway=http://127.0.0.1:8000 says where the gateway is, ?protocol=grpc-web what to begin with.
const gateway = new URL(query.get("gateway") ?? "http://127.0.0.1:8000").origin;
const radios: Readonly<Record<Protocol, string>> = { connect: "protocol-connect", "grpc-web": "protocol-grpc-web" };

let shop: Shop;
const card = { shop: () => shop, failed: (reason: unknown) => notice(explain(reason, gateway)) };
const watch = watchCard(card);
const users = usersCard(card);
const orders = orderCard({ ...card, placed: watch.follow });

function use(protocol: Protocol): void {
  shop = createShop({ gateway, protocol, onCall: showCall });
  byId(radios[protocol]).checked = true;
  notice(undefined);
  Promise.all([users.reload(), orders.reload()]).catch(card.failed);
  watch.again();
}

byId("gateway").textContent = gateway;
for (const [protocol, id] of Object.entries(radios) as [Protocol, string][]) {
  byId(id).addEventListener("change", () => use(protocol));
}
use(query.get("protocol") === "grpc-web" ? "grpc-web" : "connect");
